"""Errors of a mapping or of its data folder; nothing is imported then."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from ltc_events.kernel.errors import Kind, LtcError


class Mistake(NamedTuple):
    """One mistake in a mapping: the file within its folder, line and column from 1 (0 where none is known)."""

    file: str
    line: int
    column: int
    problem: str
    fix: str

    def __str__(self) -> str:
        place = ":".join(str(one) for one in (self.file, self.line, self.column) if one)
        return f"{place}: {self.problem}"


class ImportUnusable(LtcError):
    """the import cannot begin"""

    kind = Kind.USAGE


class MappingInvalid(ImportUnusable):
    """{mapping}: {what}"""

    remedy: ClassVar[str] = "{fix}"

    def __init__(self, mapping: str, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = list(mistakes)
        fixes = "; ".join(dict.fromkeys(one.fix for one in mistakes if one.fix))
        super().__init__(mapping=mapping, what="\n".join(map(str, mistakes)), fix=fixes)


class DataUnusable(ImportUnusable):
    """{file}: {problem}"""

    remedy: ClassVar[str] = "{fix}"
