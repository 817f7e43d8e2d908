"""Errors are types with one base; the docstring of a type is its message, filled with the details it is raised with."""

import re
from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """Who has to act on an error. Each interface derives its answer from it: an exit code, an HTTP status."""

    USAGE = "usage"
    """The request is malformed or names what does not exist: the caller corrects it."""
    REFUSED = "refused"
    """The request is well-formed, and a rule or the present state excludes it."""
    UNAVAILABLE = "unavailable"
    """A server or resource is unavailable or busy, and nothing is half done: the caller retries later."""
    DEFECT = "defect"
    """The program, its data or its configuration is at fault: the operator corrects it."""


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
        """What to do about it, or an empty string."""
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
