"""The findings of a verification: what differs from what was signed, where, and the first checkpoint that covers it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """The kind of change found."""

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
    ROLL = "roll"
    TABLE = "table"


class Since(NamedTuple):
    """The first checkpoint that covers a finding: its size, and when it was signed (None: it was kept elsewhere)."""

    size: int
    signed_at: datetime | None


class Finding(NamedTuple):
    """One finding. `log`: the log, or the name of a read table."""

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
    """The state of a log: the number of signed leaves, and the time of the last signing."""

    log: str
    size: int
    signed_at: datetime | None


class Verdict(NamedTuple):
    """The result of a verification. `unsigned`: events not covered by a checkpoint yet. `tables`: read tables compared."""

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
