"""Errors are types with one base; the docstring of a type is its message, filled with the details it is raised with."""

import re
from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """Whose turn it is after an error. Each door derives its answer from it: an exit code, a status of HTTP."""

    USAGE = "usage"
    """What was asked is malformed or names what does not exist: ask differently."""
    REFUSED = "refused"
    """It was understood, and cannot be done as things stand: a rule, or a state that excludes it."""
    UNAVAILABLE = "unavailable"
    """Something that it needs is away or busy, and nothing is half done: the same again, later."""
    DEFECT = "defect"
    """The program, its data or its set-up is at fault: whoever runs it has to put that right."""


class LtcError(Exception):
    """something went wrong in ltc-events"""

    kind: ClassVar[Kind] = Kind.REFUSED
    remedy: ClassVar[str] = ""

    def __init__(self, **details: Any) -> None:
        self.details = details
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """What is wrong, in one sentence."""
        return " ".join((type(self).__doc__ or "").split()).format(**self.details)

    @property
    def fix(self) -> str:
        """What would make it right, or an empty string."""
        return type(self).remedy.format(**self.details)

    def document(self) -> dict[str, str]:
        """The error for programs: stable code, message, fix."""
        return {"code": self.code, "message": self.message, "fix": self.fix}

    @property
    def code(self) -> str:
        """The stable machine-readable name: `OverAllocation` is `over_allocation`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()


class Refused(LtcError):
    """the command breaks a rule of the business"""

    field: ClassVar[str] = ""

    @property
    def refused_field(self) -> str:
        """The path of the field in the command's data that the refusal is about (empty: the command as a whole)."""
        return str(self.details.get("at", type(self).field))
