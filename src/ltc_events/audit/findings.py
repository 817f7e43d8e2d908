"""What a verification finds: what is another than was signed, where, and since which checkpoint it was signed."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What was done."""

    CHANGED = "changed"
    MISSING = "missing"
    EXCHANGED = "exchanged"
    TRUNCATED = "truncated"
    ADDED = "added"
    TREE = "tree"
    SIGNATURE = "signature"
    WENT_BACK = "went_back"
    TWO_HISTORIES = "two_histories"
    VERSIONS = "versions"
    TABLE = "table"


class Since(NamedTuple):
    """The first checkpoint that covers what was found: its size, and when it was signed (None: it is somebody else's copy)."""

    size: int
    signed_at: datetime | None


class Finding(NamedTuple):
    """One thing that is wrong. `log`: of which log, or the name of a read table."""

    kind: Kind
    log: str
    where: str
    detail: str
    since: Since | None = None

    def __str__(self) -> str:
        signed = ""
        if self.since is not None:
            at = f" at {self.since.signed_at:%Y-%m-%d %H:%M:%S} UTC" if self.since.signed_at else ""
            signed = f"; signed{at} in the checkpoint of size {self.since.size}"
        return f"{self.kind}: {self.log}, {self.where}: {self.detail}{signed}"

    def document(self) -> dict[str, Any]:
        """For programs."""
        since = None
        if self.since is not None:
            at = self.since.signed_at
            since = {"size": self.since.size, "signed_at": at.isoformat() if at else None}
        return {"kind": self.kind.value, "log": self.log, "where": self.where, "detail": self.detail, "since": since}


class LogState(NamedTuple):
    """How far a log is: how many leaves are signed, and when the last of them were."""

    log: str
    size: int
    signed_at: datetime | None


class Verdict(NamedTuple):
    """What a verification came to. `unsigned`: events that no checkpoint covers yet. `tables`: read tables that were compared."""

    logs: list[LogState]
    unsigned: int
    tables: list[str]
    findings: list[Finding]

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "intact": not self.findings,
            "logs": [
                {"log": one.log, "size": one.size, "signed_at": one.signed_at.isoformat() if one.signed_at else None}
                for one in self.logs
            ],
            "unsigned_events": self.unsigned,
            "tables": self.tables,
            "findings": [one.document() for one in self.findings],
        }
