"""The event store: one transaction in, records in order out."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple, Self, TypeVar, cast
from uuid import UUID

import psycopg
from psycopg import sql

from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.record import RawRecord, Record
from ltc_events.schemas.registry import EVENTS
from ltc_events.schemas.tracing import Trace
from ltc_events.schemas.upcasting import UPCASTERS, beginning_as, stored_as
from ltc_events.store.append import CHANNEL, begin
from ltc_events.store.commit import Commit, Offset
from ltc_events.store.correlations import Correlations
from ltc_events.store.database import Database, Role
from ltc_events.store.dead_letters import KeptDeadLetter, Step
from ltc_events.store.epochs import Epoch, Epochs
from ltc_events.store.error_text import error_text
from ltc_events.store.errors import (
    CommandAlreadyRecorded,
    CommitUnknown,
    ConnectionLost,
    HeadHeld,
    OffsetMoved,
    StaleRead,
    StoreError,
    VersionConflict,
)
from ltc_events.store.feeds import Feeds, SessionLock
from ltc_events.store.parameters import Uuids, register
from ltc_events.store.pipelined_sql import LinkBroken
from ltc_events.store.queries import query
from ltc_events.store.reading import EVENT_COLUMNS, FEW, fitting, to_outcome, to_raw_records, to_records
from ltc_events.store.sqlstate import is_connection_gone

Connection = psycopg.Connection[tuple[Any, ...]]
Rows = Generator[tuple[Any, ...], None, None]
T = TypeVar("T")

CHANGED_STREAMS_MAX = 5_000
CHUNK_ROWS = 250
POLL_S = 0.1  # what a wake-up costs that got lost
OFFSET_MOVED = "LTC02"
STALE_READ = "LTC03"

_OUTCOMES = query("outcomes").as_bytes()
_BEGIN = query("begin").as_bytes()
_CHANGED_STREAMS = query("changed_streams").as_bytes()
_STREAMS_OF = query("streams_of").as_bytes()
_LAST_VERSIONS = query("last_versions").as_bytes()
_LOAD = query("load", event_columns=EVENT_COLUMNS).as_bytes()
_LOAD_AFTER = query("load_after", event_columns=EVENT_COLUMNS).as_bytes()
_STREAM = query("stream", event_columns=EVENT_COLUMNS).as_bytes()
_LARGE = query("large_events").as_bytes()
_EVENT = query("event", event_columns=EVENT_COLUMNS).as_bytes()
_COMPANY_STREAMS = query("company_streams", event_columns=EVENT_COLUMNS).as_bytes()
_DEAD_LETTERS = query("dead_letters").as_bytes()
_DEAD_LETTER_COUNTS = query("dead_letter_counts").as_bytes()
_DEAD_LETTER_STEPS = query("dead_letter_steps").as_bytes()
_ADVANCE_OFFSET = query("advance_offset").as_bytes()
_TRACES = query("traces").as_bytes()
_HEAD = query("head").as_bytes()
_EPOCHS = query("epochs").as_bytes()
_EVENTS_AT = query("events_at", event_columns=EVENT_COLUMNS).as_bytes()
_SERVER = query("server").as_bytes()
_AWAIT_HEAD = query("await_head").as_bytes()
_RECORDED_AT = query("recorded_at").as_bytes()
_COMMAND_SPAN = query("command_span").as_bytes()


@lru_cache(maxsize=8)
def _read(*known: str) -> bytes:
    """The query of `read`. Known event types are constants in it: PostgreSQL builds no hash for a parameter."""
    return query("read", event_columns=EVENT_COLUMNS, known=list(known)).as_bytes()


class Beginning(NamedTuple):
    """The store at the beginning of a batch. `changed`: streams written after `since`; None: too many to name."""

    position: int
    outcomes: dict[UUID, Outcome]
    changed: tuple[UUID, ...] | None


class EventStore(Correlations, Feeds):
    """The ledger's events and outcomes, seen in one role.

    Writing, reading and waiting have a connection each, opened on first use and again after it was lost. Three threads may do
    one of the three each.
    """

    def __init__(self, database: Database, role: Role) -> None:
        self._database = database
        self._role = role
        self._connections: dict[str, Connection] = {}
        self._commit_unknown = False
        self._server: tuple[Any, ...] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, commit: Commit) -> int:
        """Store a commit in ONE transaction; returns the base: event `i` (from 1) has the position `base + i`.

        Raises VersionConflict, CommandAlreadyRecorded, OffsetMoved, HeadMoved, StaleRead, HeadHeld or ConnectionLost (nothing
        is stored), or CommitUnknown (stored or not: `outcomes` knows).
        """
        return self.begin_append(commit)()

    def begin_append(self, commit: Commit) -> Callable[[], int]:
        """As `append`, but return when the server has all it needs; it works while the caller does.

        Call the returned function once for the result and the errors of `append`. Nothing else may be written before. Raises
        DatabaseUnreachable itself.
        """
        is_new = "write" not in self._connections
        return partial(self._end_append, commit, begin(self._connection("write"), commit), is_new)

    def advance(self, offsets: Sequence[Offset]) -> None:
        """Move offsets alone, by compare-and-set, in ONE transaction. Raises OffsetMoved, ConnectionLost (moved or not)."""
        connection = self._connection("write")
        try:
            with connection.transaction():
                for offset in sorted(offsets):
                    connection.execute(_ADVANCE_OFFSET, offset)
        except psycopg.Error as error:
            if is_connection_gone(error, connection):
                self._drop("write")
                raise ConnectionLost(reason=error_text(error)) from error
            if error.sqlstate == OFFSET_MOVED:
                raise OffsetMoved(detail=error.diag.message_primary) from error
            raise

    def lock(self, name: str) -> SessionLock:
        """A lock with a connection of its own, not taken yet; whoever asks for it closes it."""
        return SessionLock(self._database, name)

    def outcomes(self, ids: Sequence[UUID]) -> dict[UUID, Outcome]:
        """The recorded outcomes of these commands; unknown ones are absent."""
        self._settle()
        return {row[0]: to_outcome(row) for row in self._query(_OUTCOMES, ids=Uuids(ids))}

    def begin(self, command_ids: Sequence[UUID], since: int) -> Beginning:
        """What a batch of commands needs first: recorded outcomes of its ids, and the streams written after `since`."""
        self._settle()
        found = self._query(_BEGIN, ids=Uuids(command_ids))
        position = found[0][-1]
        outcomes = {row[0]: to_outcome(row[:-1]) for row in found if row[0] is not None}
        if position == since:
            return Beginning(position, outcomes, ())
        rows = self._query(_CHANGED_STREAMS, after=since, upto=position, limit=CHANGED_STREAMS_MAX + 1)
        changed = None if len(rows) > CHANGED_STREAMS_MAX else tuple(row[0] for row in rows)
        return Beginning(position, outcomes, changed)

    def streams_of(self, customers: Sequence[UUID], type: str) -> dict[UUID, list[UUID]]:
        """Per customer the streams that begin with an event of this type, oldest first; those without any are absent."""
        streams: dict[UUID, list[UUID]] = {}
        for customer_id, stream in self._query(_STREAMS_OF, ids=Uuids(customers), types=beginning_as(type)):
            streams.setdefault(customer_id, []).append(stream)
        return streams

    def company_streams(self, type: str) -> list[tuple[Record, int]]:
        """The company's streams that begin with an event of this type: that event, and the last version of the stream."""
        records = to_records(self._query(_COMPANY_STREAMS, types=beginning_as(type)))
        firsts = [one for one in records if one.part == 1]
        lasts = dict(self._query(_LAST_VERSIONS, ids=Uuids(first.subject for first in firsts)))
        return [(first, lasts[first.subject]) for first in firsts]

    def dead_letters(
        self, after: int, limit: int, *, states: Sequence[str] | None = None, source: str | None = None
    ) -> list[KeptDeadLetter]:
        """At most `limit` dead letters with an id after `after`, oldest first; in these states, of this source, if given."""
        wanted = None if states is None else list(states)
        rows = self._query(_DEAD_LETTERS, after=after, limit=limit, states=wanted, source=source)
        return [KeptDeadLetter(*row) for row in rows]

    def dead_letter_counts(self) -> dict[str, int]:
        """The number of dead letters by state; states without any are absent. Scans them all."""
        return dict(self._query(_DEAD_LETTER_COUNTS))

    def dead_letter_steps(self, id: int) -> list[Step]:
        """The steps taken on a dead letter, in order."""
        return [Step(*row) for row in self._query(_DEAD_LETTER_STEPS, id=id)]

    def load(self, ids: Sequence[UUID]) -> dict[UUID, list[Record]]:
        """Whole streams in version order, in one query; unknown ones are absent."""
        streams: dict[UUID, list[Record]] = {}
        for record in to_records(self._query(_LOAD, ids=Uuids(ids))):
            streams.setdefault(record.subject, []).append(record)
        return streams

    def load_after(self, versions: Mapping[UUID, int]) -> dict[UUID, list[Record]]:
        """The records of each stream after a version, in version order, in one query; streams with nothing new are absent."""
        streams: dict[UUID, list[Record]] = {}
        rows = self._query(_LOAD_AFTER, ids=Uuids(versions), versions=list(versions.values()))
        for record in to_records(rows):
            streams.setdefault(record.subject, []).append(record)
        return streams

    def stream(self, id: UUID, *, after_version: int = 0) -> list[Record]:
        """One stream in version order."""
        return to_records(self._query(_STREAM, id=id, after_version=after_version))

    def event(self, id: UUID, version: int) -> list[Record]:
        """One event of a stream as its parts after upcasting; empty: there is none."""
        return to_records(self._query(_EVENT, id=id, version=version))

    def read(self, after: int, limit: int, *, types: Sequence[str] | None = None, upto: int | None = None) -> list[Record]:
        """At most `limit` stored events in position order: those after `after`, up to and with `upto`, of these types.

        A stored event that is upcast to several counts as one, and is included whole if any of them may be of these types.
        Raises UnreadableEvent (UnknownEvent, UpcastFailed) with the first position that cannot be decoded. An unknown type is an
        error whatever types are asked for, since it may be a newer name of one of them.
        """
        # To ask for all types there are takes longer, row by row, than to ask for none.
        stored = None if types is None or EVENTS.keys() <= set(types) else stored_as(types)
        params = {"after": after, "limit": limit, "upto": upto, "types": stored}
        statement = _read(*EVENTS, *UPCASTERS)

        def stream(connection: Connection) -> list[Record]:
            # In chunks: the server goes on while we decode.
            # Closed even on an event that cannot be decoded: an open stream keeps the connection to itself.
            with (
                connection.cursor() as cursor,
                closing(cast(Rows, cursor.stream(statement, params, binary=True, size=CHUNK_ROWS))) as rows,
            ):
                return to_records(rows)

        return self._reading(stream)

    def readable(self, after: int, upto: int) -> int:
        """The position, at most `upto`, up to which events after `after` fit into one read by their bytes; at least one event."""
        return upto if upto - after <= FEW else fitting(self._query(_LARGE, after=after, upto=upto), after, upto)

    def read_raw(self, after: int, limit: int, *, upto: int | None = None) -> list[RawRecord]:
        """At most `limit` events after the position `after`, in position order, as their exact bytes; up to and with `upto`."""
        return to_raw_records(self._query(_read(), after=after, limit=limit, upto=upto, types=None))

    def traces(self, after: int, limit: int) -> dict[int, Trace]:
        """The traces of events, by position: of those of the `limit` positions after `after` that have one."""
        found: dict[int, Trace] = {}
        for first, last, parent, state in self._query(_TRACES, after=after, limit=limit):
            found |= dict.fromkeys(range(max(first, after + 1), min(last, after + limit) + 1), Trace(parent, state))
        return found

    def head(self) -> tuple[int, datetime]:
        """The last position (0: none yet) and when it was recorded."""
        position, recorded_at = self._query(_HEAD)[0]
        return position, recorded_at.astimezone(UTC)

    def epochs(self) -> Epochs:
        """The history of the store's epochs."""
        return Epochs([Epoch(*row) for row in self._query(_EPOCHS)])

    def raw_at(self, positions: Sequence[int]) -> dict[int, RawRecord]:
        """The events at these positions, as their exact bytes; positions without an event are absent."""
        return {one.position: one for one in to_raw_records(self._query(_EVENTS_AT, positions=list(positions)))}

    def recorded_at(self, position: int) -> datetime | None:
        """When the event at this position was recorded; None where there is none."""
        return next((moment for (moment,) in self._query(_RECORDED_AT, position=position)), None)

    def command_end(self, position: int) -> int:
        """The last position of the command that the event at this position belongs to."""
        found = self._query(_COMMAND_SPAN, position=position)
        return int(found[0][1]) if found else position

    def position_at(self, moment: datetime) -> int:
        """The last position recorded at or before `moment` (0: none): recorded_at never falls as positions rise."""
        low, high = 0, self.head()[0]
        while low < high:
            middle = (low + high + 1) // 2
            recorded_at = self.recorded_at(middle)
            if recorded_at is not None and recorded_at <= moment:
                low = middle
            else:
                high = middle - 1
        return low

    def wait(self, after: int, timeout: float) -> bool:
        """Wait at most `timeout` seconds for an event after the position `after`; whether there is one."""
        deadline = time.monotonic() + timeout
        while True:
            # Listening begins before the look: what is stored in between wakes us.
            ((position, _),) = self._reading(lambda listener: listener.execute(_HEAD).fetchall(), "listen")
            left = deadline - time.monotonic()
            if position > after or left <= 0:
                return bool(position > after)
            with suppress(psycopg.OperationalError):  # the next look finds the connection lost, and makes another
                for _ in self._connection("listen").notifies(timeout=min(left, POLL_S), stop_after=1):
                    pass

    def login(self) -> str:
        """The name that the database has authenticated us by, which no role that we take changes."""
        return self._reading(lambda connection: connection.info.user)

    def close(self) -> None:
        """Close the connections; the next use opens them again."""
        for purpose in list(self._connections):
            self._drop(purpose)

    def _end_append(self, commit: Commit, end: Callable[[], int], is_new: bool) -> int:
        while True:
            try:
                return end()
            except LinkBroken as error:
                self._drop("write")
                if error.finishing:
                    self._commit_unknown = True
                    raise CommitUnknown from error
                if is_new:
                    raise ConnectionLost(reason=error_text(error)) from error
                is_new = True  # a connection had died while it was idle; nothing is stored, so once more is safe
                end = begin(self._connection("write"), commit)
            except psycopg.errors.UniqueViolation as error:
                raise self._conflict(commit, error) from error
            except psycopg.errors.LockNotAvailable as error:
                raise HeadHeld from error
            except psycopg.Error as error:
                if error.sqlstate == OFFSET_MOVED:
                    raise OffsetMoved(detail=error.diag.message_primary) from error
                if error.sqlstate == STALE_READ and commit.reads is not None:
                    raise StaleRead(since=commit.reads.since) from error
                raise

    def _settle(self) -> None:
        """Wait until a transaction whose connection was lost has ended on the server, since it may still hold the head row."""
        if self._commit_unknown:
            self._query(_AWAIT_HEAD)
            self._commit_unknown = False

    def _conflict(self, commit: Commit, error: psycopg.errors.UniqueViolation) -> StoreError:
        if error.diag.constraint_name == "outcomes_command_key":
            recorded = self.outcomes([outcome.command_id for outcome in commit.outcomes])
            return CommandAlreadyRecorded(command_ids=list(recorded))
        lowest: dict[UUID, int] = {}
        for event in commit.events:
            lowest.setdefault(event.subject, event.version)
        rows = self._query(_LAST_VERSIONS, ids=Uuids(lowest))
        return VersionConflict(streams=[stream for stream, version in rows if version >= lowest[stream]])

    def _connection(self, purpose: str) -> Connection:
        connection = self._connections.get(purpose)
        if connection is None or connection.closed:
            connection = self._connections[purpose] = self._database.connect(self._role, autocommit=True)
            register(connection)
            # All we ask has an index, orders included. Of a young table the planner knows too little to see that; and to
            # plan a query anew for its parameters takes longer than the query.
            connection.execute("SET enable_sort = off; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
            self._require_same_server(connection)
            if purpose == "listen":
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
        return connection

    def _require_same_server(self, connection: Connection) -> None:
        """Raise ConnectionLost where another server answers than before: with cached state of the old one, a store that went back
        would not be noticed."""
        (server,) = connection.execute(_SERVER).fetchall()
        if self._server not in (None, server):
            self.close()
            self._server = None
            raise ConnectionLost(reason="the server was started anew, or it is another one")
        self._server = server

    def _query(self, statement: bytes, **params: Any) -> list[tuple[Any, ...]]:
        def fetch(connection: Connection) -> list[tuple[Any, ...]]:
            with connection.cursor(binary=True) as cursor:
                return cursor.execute(statement, params).fetchall()

        return self._reading(fetch)

    def _reading(self, work: Callable[[Connection], T], purpose: str = "read") -> T:
        """A connection for reading; a read on a dead connection is repeated on a new one."""
        fresh = purpose not in self._connections
        while True:
            connection = self._connection(purpose)
            try:
                return work(connection)
            except psycopg.Error as error:
                if not is_connection_gone(error, connection):
                    raise
                self._drop(purpose)
                if fresh:
                    raise ConnectionLost(reason=error_text(error)) from error
                fresh = True

    def _drop(self, purpose: str) -> None:
        connection = self._connections.pop(purpose, None)
        if connection is not None:
            connection.close()
