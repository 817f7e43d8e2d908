"""The event store: one transaction in, records in order out."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from ltc_events.schemas.outcome import Outcome, Refusal, Status
from ltc_events.schemas.record import Record
from ltc_events.store import layout
from ltc_events.store.commit import Commit, Offset
from ltc_events.store.database import Database, Role
from ltc_events.store.errors import (
    CommandAlreadyRecorded,
    CommitUnknown,
    ConnectionLost,
    OffsetMoved,
    VersionConflict,
)
from ltc_events.store.mapper import decode, encode
from ltc_events.store.script import LinkBroken, run_script

Connection = psycopg.Connection[tuple[Any, ...]]
T = TypeVar("T")

CHANNEL = "ltc_events"
POLL_S = 0.1

_TAKE_POSITIONS = (
    "UPDATE ltc.head SET position = position + {count}, recorded_at = greatest(recorded_at, clock_timestamp())"
    " RETURNING position - {count} AS base,"
    " ((extract(epoch FROM recorded_at) - 946684800) * 1000000)::bigint AS recorded"
)
_COPY_OUTCOMES = (
    "COPY ltc.outcomes (command_id, command_type, content_hash, status, first_position, last_position, reasons, content,"
    " recorded_at) FROM STDIN (FORMAT binary)"
)
_COPY_EVENTS = f"COPY ltc.events ({', '.join(layout.EVENT_COLUMNS)}) FROM STDIN (FORMAT binary)"
_SELECT = (
    "SELECT position, stream_id, version, type, data, customer_id, occurred_at, effective_on, recorded_at,"
    " command_id, correlation_id, causation_id, actor FROM ltc.events"
)


class EventStore:
    """The ledger's events and outcomes, seen in one role. Not to be shared by threads that use the same method."""

    def __init__(self, database: Database, role: Role) -> None:
        self._database = database
        self._role = role
        self._connections: dict[str, Connection] = {}
        self._commit_unknown = False

    def append(self, commit: Commit) -> int:
        """Store a commit in ONE transaction; returns the base: event `i` (from 1) has the position `base + i`.

        Raises VersionConflict, CommandAlreadyRecorded, OffsetMoved, ConnectionLost (nothing is stored) or
        CommitUnknown (stored or not: `outcomes` knows).
        """
        writing = _Writing(commit)
        reconnected = "write" not in self._connections
        while True:
            try:
                run_script(self._connection("write"), writing.script, writing.copies)
            except LinkBroken as error:
                self._drop("write")
                if error.finishing:
                    self._commit_unknown = True
                    raise CommitUnknown from error
                if reconnected:
                    raise ConnectionLost(reason=error) from error
                reconnected = True  # an idle connection had died: nothing was sent to an end, so once more is safe
            except psycopg.errors.UniqueViolation as error:
                raise self._conflict(commit, error) from error
            except psycopg.Error as error:
                if error.sqlstate == "LTC02":
                    feeds = sorted({offset.feed for offset in commit.offsets})
                    raise OffsetMoved(feed=", ".join(feeds), detail=error.diag.message_primary) from error
                raise
            else:
                return writing.base

    def outcomes(self, ids: Sequence[UUID]) -> dict[UUID, Outcome]:
        """The recorded outcomes of these commands; unknown ones are absent."""
        if self._commit_unknown:
            # The lost transaction may still be at work on the server. It holds the head row: wait until it is over.
            self._query("SELECT FROM ltc.head FOR UPDATE")
            self._commit_unknown = False
        rows = self._query(
            "SELECT command_id, command_type, content_hash, status, first_position, last_position, reasons, content"
            " FROM ltc.outcomes WHERE command_id = ANY(%s)",
            (list(ids),),
        )
        return {row[0]: _outcome(row) for row in rows}

    def load(self, ids: Sequence[UUID]) -> dict[UUID, list[Record]]:
        """Whole streams in version order, in one query; unknown ones are absent."""
        streams: dict[UUID, list[Record]] = {}
        for row in self._query(f"{_SELECT} WHERE stream_id = ANY(%s) ORDER BY stream_id, version", (list(ids),)):
            streams.setdefault(row[1], []).append(_record(row))
        return streams

    def stream(self, id: UUID, *, after_version: int = 0) -> list[Record]:
        """One stream in version order."""
        rows = self._query(f"{_SELECT} WHERE stream_id = %s AND version > %s ORDER BY version", (id, after_version))
        return list(map(_record, rows))

    def read(self, after: int, limit: int, *, types: Sequence[str] | None = None, upto: int | None = None) -> list[Record]:
        """At most `limit` records in position order: those after `after`, up to and with `upto`, of these types."""
        where = "position > %s"
        params: list[Any] = [after]
        if upto is not None:
            where += " AND position <= %s"
            params.append(upto)
        if types is not None:
            where += " AND type = ANY(%s)"
            params.append(list(types))
        rows = self._query(f"{_SELECT} WHERE {where} ORDER BY position LIMIT %s", (*params, limit))
        return list(map(_record, rows))

    def head(self) -> tuple[int, datetime]:
        """The last position (0: none yet) and when it was recorded."""
        position, recorded_at = self._query("SELECT position, recorded_at FROM ltc.head")[0]
        return position, recorded_at.astimezone(UTC)

    def position_at(self, moment: datetime) -> int:
        """The last position recorded at or before `moment` (0: none): recorded_at never falls as positions rise."""
        low, high = 0, self.head()[0]
        while low < high:
            middle = (low + high + 1) // 2
            ((recorded_at,),) = self._query("SELECT recorded_at FROM ltc.events WHERE position = %s", (middle,))
            if recorded_at <= moment:
                low = middle
            else:
                high = middle - 1
        return low

    def wait(self, after: int, timeout: float) -> bool:
        """Wait at most `timeout` seconds for an event after the position `after`; whether there is one."""
        deadline = time.monotonic() + timeout
        while True:
            listener = self._listener()
            if self.head()[0] > after:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            try:
                for _ in listener.notifies(timeout=min(left, POLL_S), stop_after=1):
                    pass
            except psycopg.OperationalError:
                self._drop("listen")

    def close(self) -> None:
        """Close the connections; the next use would open them again."""
        for purpose in list(self._connections):
            self._drop(purpose)

    def _conflict(self, commit: Commit, error: psycopg.errors.UniqueViolation) -> Exception:
        if error.diag.constraint_name == "outcomes_command_key":
            recorded = self.outcomes([outcome.command_id for outcome in commit.outcomes])
            return CommandAlreadyRecorded(command_ids=list(recorded))
        lowest: dict[UUID, int] = {}
        for event in commit.events:
            lowest.setdefault(event.subject, event.version)
        rows = self._query(
            "SELECT stream_id, max(version) FROM ltc.events WHERE stream_id = ANY(%s) GROUP BY stream_id",
            (list(lowest),),
        )
        return VersionConflict(streams=[stream for stream, version in rows if version >= lowest[stream]])

    def _connection(self, purpose: str) -> Connection:
        connection = self._connections.get(purpose)
        if connection is None or connection.closed:
            connection = self._connections[purpose] = self._database.connect(self._role, autocommit=True)
        return connection

    def _listener(self) -> Connection:
        fresh = "listen" not in self._connections
        connection = self._connection("listen")
        if fresh:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
        return connection

    def _query(self, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        def fetch(connection: Connection) -> list[tuple[Any, ...]]:
            with connection.cursor(binary=True) as cursor:
                return cursor.execute(query.encode(), params).fetchall()

        return self._reading(fetch)

    def _reading(self, work: Callable[[Connection], T]) -> T:
        """Reads may be repeated: one that meets a dead connection gets a new one."""
        fresh = "read" not in self._connections
        try:
            return work(self._connection("read"))
        except psycopg.OperationalError as error:
            if not self._connections["read"].closed:
                raise
            self._drop("read")
            if fresh:
                raise ConnectionLost(reason=error) from error
        return work(self._connection("read"))

    def _drop(self, purpose: str) -> None:
        connection = self._connections.pop(purpose, None)
        if connection is not None:
            connection.close()


class _Writing:
    """One commit on its way: everything that can be prepared is, before the head row is locked."""

    def __init__(self, commit: Commit) -> None:
        self.base = 0
        self._recorded = 0
        self._outcomes = commit.outcomes
        self._packed = layout.pack_events(
            layout.Row(subject, version, event.type, encode(event), *rest) for subject, version, event, *rest in commit.events
        )
        self.copies = [self._outcome_rows, self._event_rows]
        count = sql.Literal(len(commit.events))
        script = [
            sql.SQL("BEGIN"),
            *map(_advance, sorted(commit.offsets)),
            sql.SQL(_TAKE_POSITIONS).format(count=count),
            sql.SQL(_COPY_OUTCOMES),
            sql.SQL(_COPY_EVENTS),
            sql.SQL("NOTIFY {}").format(sql.Identifier(CHANNEL)),
            sql.SQL("COMMIT"),
        ]
        self.script = sql.SQL("; ").join(script).as_bytes()

    def _outcome_rows(self, results: Sequence[PGresult]) -> bytes:
        head = next(one for one in reversed(results) if one.status == ExecStatus.TUPLES_OK)
        self.base, self._recorded = (int(head.get_value(0, column) or 0) for column in (0, 1))
        return layout.pack_values(self._outcome_row(outcome) for outcome in self._outcomes)

    def _outcome_row(self, outcome: Outcome) -> tuple[bytes | None, ...]:
        base = self.base if outcome.first_position else 0
        return (
            outcome.command_id.bytes,
            outcome.command_type.encode(),
            outcome.content_hash,
            outcome.status.encode(),
            (base + outcome.first_position).to_bytes(8, "big"),
            (base + outcome.last_position).to_bytes(8, "big"),
            b"\x01" + orjson.dumps([reason.model_dump() for reason in outcome.reasons]),
            outcome.content,
            self._recorded.to_bytes(8, "big", signed=True),
        )

    def _event_rows(self, _: Sequence[PGresult]) -> bytes:
        return layout.place_events(self._packed, self.base, self._recorded)


def _advance(offset: Offset) -> sql.Composed:
    return sql.SQL("SELECT ltc.advance_offset({}, {}, {}, {})").format(*map(sql.Literal, offset))


def _outcome(row: tuple[Any, ...]) -> Outcome:
    command_id, command_type, content_hash, status, first, last, reasons, content = row
    refusals = tuple(Refusal(**reason) for reason in reasons)
    return Outcome(command_id, command_type, content_hash, Status(status), first, last, refusals, content)


def _record(row: tuple[Any, ...]) -> Record:
    position, stream_id, version, kind, data, *rest = row
    return Record(position, stream_id, version, decode(kind, data, position), *rest)
