"""What can be wrong with a mapping (nothing was done), with the data folder (likewise), or with one row (the import goes on)."""

from typing import ClassVar

from ltc_events.kernel.errors import Kind, LtcError


class ImportUnusable(LtcError):
    """the import cannot begin"""

    kind = Kind.USAGE


class MappingInvalid(ImportUnusable):
    """{mapping}: {where}: {problem}"""

    remedy: ClassVar[str] = "{fix}"


class DataUnusable(ImportUnusable):
    """{file}: {problem}"""

    remedy: ClassVar[str] = "{fix}"


class BadValue(ValueError):
    """A text that does not say what its column should hold. `fix` says what to do about it."""

    def __init__(self, code: str, reason: str, fix: str, *, column: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.fix = fix
        self.column = column


class RowRefused(Exception):
    """A row that cannot become commands: where it is, what is wrong, and what to do about it."""

    def __init__(self, file: str, line: int, code: str, reason: str, fix: str, *, column: str = "", value: str = "") -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.file = file
        self.line = line
        self.code = code
        self.reason = reason
        self.fix = fix
        self.column = column
        self.value = value
