"""The outcome of a command: exactly one each, recorded with its events."""

from enum import StrEnum
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import Schema


class Status(StrEnum):
    """How a command ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Refusal(Schema):
    """Why a command was refused, for machines and for people."""

    code: str = Field(description="stable name of the rule, e.g. over_allocation")
    field: str = Field(description="path in the command's data; empty: the command as a whole")
    message: str
    fix: str = Field(description="what would make it acceptable")


class Result(Schema):
    """The outcome of a command as callers receive it."""

    command_id: UUID
    status: Literal["accepted", "refused", "duplicate", "undecodable"] = Field(
        description="duplicate: it came before, and had its outcome then; undecodable: no command, and not recorded"
    )
    first_outcome: Status | None = Field(description="what became of it when it came first; null where it is undecodable")
    positions: list[int] = Field(description="places of its events in the log; empty when it made none")
    reasons: list[Refusal] = Field(description="why it was refused")


class Outcome(NamedTuple):
    """The outcome of one command. `first_position` and `last_position` bound its events (0: it made none).

    `content` is the canonical JSON of what was sent, recorded for refused commands alone, so that nothing is lost.
    `duplicate` is true when this answer repeats an outcome recorded earlier. `principal` is who sent the command, as he was
    authenticated (`user:anna`); None: nobody was, or the outcome was stored before this was kept.
    """

    command_id: UUID
    command_type: str
    content_hash: bytes
    status: Status
    first_position: int = 0
    last_position: int = 0
    reasons: tuple[Refusal, ...] = ()
    content: bytes | None = None
    duplicate: bool = False
    principal: str | None = None

    def document(self) -> dict[str, Any]:
        """The outcome as the JSON document that callers receive: a Result, built without validation."""
        positions = list(range(self.first_position, self.last_position + 1)) if self.first_position else []
        return {
            "command_id": str(self.command_id),
            "status": "duplicate" if self.duplicate else self.status.value,
            "first_outcome": self.status.value,
            "positions": positions,
            "reasons": [reason.model_dump() for reason in self.reasons],
        }
