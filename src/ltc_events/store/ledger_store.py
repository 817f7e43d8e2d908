"""What commands are decided on and stored in: the ledger itself, or a rehearsal on top of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.record import Record
from ltc_events.store.commit import Commit
from ltc_events.store.event_store import Beginning


class LedgerStore(Protocol):
    """What the command pipeline and the import need of an event store; each method is as in `EventStore`."""

    def begin(self, command_ids: Sequence[UUID], since: int) -> Beginning:
        """What a batch of commands needs first."""
        ...

    def begin_append(self, commit: Commit) -> Callable[[], int]:
        """Store a commit, while the caller goes on."""
        ...

    def outcomes(self, ids: Sequence[UUID]) -> dict[UUID, Outcome]:
        """The recorded outcomes of commands."""
        ...

    def load(self, ids: Sequence[UUID]) -> dict[UUID, list[Record]]:
        """Whole streams."""
        ...

    def load_after(self, versions: Mapping[UUID, int]) -> dict[UUID, list[Record]]:
        """What streams have after a version."""
        ...

    def stream(self, id: UUID, *, after_version: int = 0) -> list[Record]:
        """One stream."""
        ...

    def streams_of(self, customers: Sequence[UUID], type: str) -> dict[UUID, list[UUID]]:
        """The streams of customers that begin with an event of a type."""
        ...

    def read(self, after: int, limit: int, *, types: Sequence[str] | None = None, upto: int | None = None) -> list[Record]:
        """Events in position order."""
        ...

    def correlated_streams(self, mark: bytes, types: Sequence[str]) -> list[UUID]:
        """Streams by what their correlations end with."""
        ...

    def head(self) -> tuple[int, datetime]:
        """The last position, and when it was recorded."""
        ...
