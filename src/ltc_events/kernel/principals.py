"""Who has sent a command, as it was authenticated: beside the actor, who is whoever the command claims."""

from dataclasses import dataclass, field
from enum import StrEnum


class PrincipalKind(StrEnum):
    """How a principal was authenticated."""

    USER = "user"
    """By the operating system, where the ledger is embedded; else by the database, as its login."""
    SOURCE = "source"
    """By Kafka: the broker lets nobody else write to the topic that the commands came on."""
    WORKER = "worker"
    """A part of the ledger itself, which sends commands on its own account."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated sender. `text`, such as `user:anna`, is what is recorded, and what policy `access` calls it."""

    kind: PrincipalKind
    name: str
    text: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", f"{self.kind.value}:{self.name}")

    def __str__(self) -> str:
        return self.text
