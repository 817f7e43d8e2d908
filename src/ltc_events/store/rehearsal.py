"""A rehearsal: the ledger as it was at one position, and what is decided on top of it in a temporary database of this process.

What is decided goes to a SQLite database whose file has no name and ends with the process: memory stays flat however much is
rehearsed, and no writer of the ledger waits.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

import orjson

from ltc_events.schemas.decimal_json import dump
from ltc_events.schemas.outcome import Outcome, Refusal, Status
from ltc_events.schemas.record import Record
from ltc_events.schemas.upcasting import beginning_as
from ltc_events.store.commit import Commit, NewEvent, require_sizes
from ltc_events.store.errors import HeadMoved, RehearsalFailed
from ltc_events.store.event_store import Beginning
from ltc_events.store.ledger_store import LedgerStore
from ltc_events.store.reading import to_records
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)


class Rehearsal(LedgerStore):
    """A store that reads `ledger` as of its head at the beginning, and keeps what is appended to itself.

    Its positions follow those of the ledger at the beginning; what others write to the ledger meanwhile is not seen. It is used
    by one thread. A commit has no offsets; its dead letters and traces are not kept.
    """

    def __init__(self, ledger: LedgerStore) -> None:
        self._ledger = ledger
        self._since, self._recorded_at = ledger.head()
        self._position = self._since
        self._kept = sqlite3.connect("")
        self._kept.executescript(_SQL.text("layout"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget all that was rehearsed."""
        self._kept.close()

    def head(self) -> tuple[int, datetime]:
        return self._position, self._recorded_at

    def begin(self, command_ids: Sequence[UUID], since: int) -> Beginning:
        return Beginning(self._position, self.outcomes(command_ids), () if since == self._position else None)

    def begin_append(self, commit: Commit) -> Callable[[], int]:
        """Keep a commit at once.

        Raises HeadMoved where it expects a head, as nobody has looked for its command by then; OversizedEvent, RehearsalFailed.
        """
        if commit.offsets:
            raise ValueError("a rehearsal consumes no feed")
        if commit.expected is not None:
            raise HeadMoved(expected=commit.expected)
        encoded = [dump(one.event) for one in commit.events]
        require_sizes(commit.events, encoded)
        base = self._position
        events = zip(commit.events, encoded, strict=True)
        try:
            with self._kept:
                self._kept.executemany(_SQL.text("put_outcome"), (_outcome_row(one, base) for one in commit.outcomes))
                rows = (_event_row(base + place, one, data) for place, (one, data) in enumerate(events, 1))
                self._kept.executemany(_SQL.text("put_event"), rows)
        except sqlite3.OperationalError as error:
            raise RehearsalFailed(reason=error) from error
        self._position += len(commit.events)
        return lambda: base

    def outcomes(self, ids: Sequence[UUID]) -> dict[UUID, Outcome]:
        found = {}
        for id in ids:
            for kind, content_hash, status, first, last, reasons, principal in self._rows(_SQL.text("outcome"), id.bytes):
                told = tuple(Refusal(**one) for one in orjson.loads(reasons))
                found[id] = Outcome(id, kind, content_hash, Status(status), first, last, told, principal=principal)
        unknown = [id for id in ids if id not in found]
        for id, outcome in (self._ledger.outcomes(unknown) if unknown else {}).items():
            is_later = outcome.last_position > self._since  # its events are not seen here, and others have their positions
            found[id] = outcome._replace(first_position=0, last_position=0) if is_later else outcome
        return found

    def load(self, ids: Sequence[UUID]) -> dict[UUID, list[Record]]:
        return self._with_kept(self._ledger.load(ids), dict.fromkeys(ids, 0))

    def load_after(self, versions: Mapping[UUID, int]) -> dict[UUID, list[Record]]:
        return self._with_kept(self._ledger.load_after(versions), versions)

    def stream(self, id: UUID, *, after_version: int = 0) -> list[Record]:
        found = {id: self._ledger.stream(id, after_version=after_version)}
        return self._with_kept(found, {id: after_version}).get(id, [])

    def streams_of(self, customers: Sequence[UUID], type: str) -> dict[UUID, list[UUID]]:
        found = self._ledger.streams_of(customers, type)
        if found and self._ledger.head()[0] > self._since:
            loaded = self._ledger.load([id for streams in found.values() for id in streams])
            known = {id for id, records in loaded.items() if records[0].position <= self._since}
            found = {customer: [id for id in streams if id in known] for customer, streams in found.items()}
        types = set(beginning_as(type))
        for customer in customers:
            begun = [UUID(bytes=id) for id, kind in self._rows(_SQL.text("beginnings"), customer.bytes) if kind in types]
            if begun:
                found.setdefault(customer, []).extend(begun)
        return {customer: streams for customer, streams in found.items() if streams}

    def read(self, after: int, limit: int, *, types: Sequence[str] | None = None, upto: int | None = None) -> list[Record]:
        last = self._position if upto is None else upto
        found = []
        if after < self._since:
            found = self._ledger.read(after, limit, types=types, upto=min(last, self._since))
        left = limit - sum(record.part == 1 for record in found)
        kept = _records(self._rows(_SQL.text("range"), max(after, self._since), last), self._recorded_at, types)
        return [*found, *kept[: max(left, 0)]]

    def correlated_streams(self, mark: bytes, types: Sequence[str]) -> list[UUID]:
        kept = (UUID(bytes=id) for id, kind in self._rows(_SQL.text("correlated"), mark) if kind in types)
        return list(dict.fromkeys([*self._ledger.correlated_streams(mark, types), *kept]))

    def _with_kept(self, found: dict[UUID, list[Record]], versions: Mapping[UUID, int]) -> dict[UUID, list[Record]]:
        """Streams of the ledger as they were at the beginning, and what was kept of them after these versions."""
        streams = {}
        for id, version in versions.items():
            records = [record for record in found.get(id, ()) if record.position <= self._since]
            records += _records(self._rows(_SQL.text("stream"), id.bytes, version), self._recorded_at)
            if records:
                streams[id] = records
        return streams

    def _rows(self, statement: str, *parameters: Any) -> Iterator[tuple[Any, ...]]:
        return self._kept.execute(statement, parameters)


def _outcome_row(one: Outcome, base: int) -> tuple[Any, ...]:
    first, last = (base + place if place else 0 for place in (one.first_position, one.last_position))
    reasons = orjson.dumps([reason.model_dump() for reason in one.reasons])
    return one.command_id.bytes, one.command_type, one.content_hash, one.status.value, first, last, reasons, one.principal


def _event_row(position: int, one: NewEvent, data: bytes) -> tuple[Any, ...]:
    return (
        position,
        one.subject.bytes,
        one.version,
        one.event.type,
        data,
        None if one.customer_id is None else one.customer_id.bytes,
        one.occurred_at.isoformat(),
        one.effective_on.isoformat(),
        one.command_id.bytes,
        one.correlation_id.bytes,
        one.causation_id.bytes,
        one.actor,
    )


def _records(rows: Iterable[tuple[Any, ...]], recorded_at: datetime, types: Sequence[str] | None = None) -> list[Record]:
    """What was kept as records, as if all of it had been recorded at one moment."""
    return to_records(
        (
            position,
            UUID(bytes=stream),
            version,
            kind,
            data,
            None if customer is None else UUID(bytes=customer),
            datetime.fromisoformat(occurred_at),
            date.fromisoformat(effective_on),
            recorded_at,
            *(UUID(bytes=one) for one in ids),
            actor,
        )
        for position, stream, version, kind, data, customer, occurred_at, effective_on, *ids, actor in rows
        if types is None or kind in types
    )
