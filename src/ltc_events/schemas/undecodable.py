"""Errors for documents that are not commands: what is wrong, where, and how to correct it."""

from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.registry import COMMANDS


class Undecodable(LtcError):
    """this is not a command: {reason}"""

    kind = Kind.USAGE
    remedy = "send a CloudEvents 1.0 document with specversion, id, source, type, subject, partitionkey and data"

    @property
    def field(self) -> str:
        """The attribute, or the path in the data, that is at fault; empty: the document as a whole."""
        return str(self.details.get("at", ""))

    @property
    def fix(self) -> str:
        """What would make it a command."""
        return str(self.details.get("fix") or super().fix)

    @property
    def command_id(self) -> UUID | None:
        """The command id of the document, where it can be read."""
        found: UUID | None = self.details.get("command_id")
        return found

    def about(self, document: object) -> "Undecodable":
        """The same error with the document attached, from which its id may be read."""
        given = document.get("id") if isinstance(document, Mapping) else None
        if self.command_id is None and isinstance(given, UUID | str):
            with suppress(ValueError):  # what is no id cannot be told as one
                self.details["command_id"] = UUID(str(given))
        return self

    def document(self) -> dict[str, Any]:
        """The answer to the caller, in the form of a command's outcome. Nothing is recorded under the id."""
        reason = {"code": self.code, "field": self.field, "message": self.message, "fix": self.fix}
        id = None if self.command_id is None else str(self.command_id)
        return {"command_id": id, "status": "undecodable", "first_outcome": None, "positions": [], "reasons": [reason]}


class UnknownType(Undecodable):
    """this is not a command: type: there is no command {type}"""

    @property
    def field(self) -> str:
        """The attribute with the name."""
        return "type"

    @property
    def fix(self) -> str:
        """The commands with the nearest names."""
        near = get_close_matches(str(self.details["type"]), [WIRE_PREFIX + name for name in COMMANDS], n=3, cutoff=0.6)
        return f"did you mean {' or '.join(near)}?" if near else "see docs/commands-and-events.md for the types there are"
