"""Errors are types with one base; the docstring of a type is its message, filled with the details it is raised with."""

import re
from typing import Any, ClassVar


class LtcError(Exception):
    """something went wrong in ltc-events"""

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
