"""Appends a commit in one transaction. The head row is locked first: it holds the last position.

A batch is written by COPY in three round trips; a single command with few events by one prepared statement.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

import orjson
import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from ltc_events.schemas.decimal_json import dump
from ltc_events.schemas.outcome import Refusal
from ltc_events.store import copy_format
from ltc_events.store.commit import LONE_EVENTS_MAX, Commit, DeadLetter, Offset, require_sizes
from ltc_events.store.database import take_positions
from ltc_events.store.errors import HeadMoved
from ltc_events.store.parameters import pack_uuids
from ltc_events.store.pipelined_sql import Copy, Running, run_prepared
from ltc_events.store.queries import query

CHANNEL = "ltc_events"

_NAMES = {
    "schema": sql.Identifier("ltc"),
    "events": sql.Identifier("events"),
    "take_positions": sql.Identifier(take_positions("head")),
}


def begin(connection: psycopg.Connection[Any], commit: Commit) -> Callable[[], int]:
    """Begin to store a commit in ONE transaction; call the returned function once to wait for the end and get the base position.

    The connection must be in autocommit mode and must not be used in between; the server works while the caller does something
    else. (A lone command is sent when its end is waited for.) The returned function raises psycopg's errors, HeadMoved or
    LinkBroken; nothing is stored then, except that with `LinkBroken.finishing` it may be. OversizedEvent is raised before
    anything is sent: here, or for a lone command by the returned function.
    """
    if commit.is_lone:
        return partial(_write_lone, connection, commit)
    if commit.expected is not None:
        raise ValueError("only a lone command can expect a position")
    batch = _Batch(commit)
    running = Running(connection, batch.script, batch.copies())

    def end() -> int:
        running.finish()
        return batch.base

    return end


def _write_lone(connection: psycopg.Connection[Any], commit: Commit) -> int:
    (outcome,), events = commit.outcomes, commit.events
    values: list[bytes | None] = []
    if commit.reads is not None:
        since, streams, customers = commit.reads
        values += (copy_format.int8(since), pack_uuids(streams), pack_uuids(customers))
    values += (
        None if commit.expected is None else copy_format.int8(commit.expected),
        outcome.command_id.bytes,
        outcome.command_type.encode(),
        outcome.content_hash,
        outcome.status.encode(),
        copy_format.int8(outcome.first_position),
        copy_format.int8(outcome.last_position),
        copy_format.jsonb(_reasons(outcome.reasons)),
        outcome.content,
        None if outcome.principal is None else outcome.principal.encode(),
    )
    encoded = [dump(one.event) for one in events]
    require_sizes(events, encoded)
    for one, data in zip(events, encoded, strict=True):
        values += (
            copy_format.int8(copy_format.microseconds(one.occurred_at)),
            copy_format.int8(one.version),
            copy_format.int4(copy_format.days(one.effective_on)),
            one.subject.bytes,
            one.command_id.bytes,
            one.correlation_id.bytes,
            one.causation_id.bytes,
            None if one.customer_id is None else one.customer_id.bytes,
            one.event.type.encode(),
            one.actor.encode(),
            data,
        )
    answer = run_prepared(connection, _lone_statement(len(events), commit.reads is not None), values)
    base = answer.get_value(0, 0)
    if base is None:  # no row: the head is not where it was expected
        raise HeadMoved(expected=commit.expected)
    return int.from_bytes(base, "big", signed=True)


_CHECK_LONE = {"since": sql.SQL("%b::bigint"), "streams": sql.SQL("%b::uuid[]"), "customers": sql.SQL("%b::uuid[]")}


@lru_cache(maxsize=2 * (LONE_EVENTS_MAX + 1))
def _lone_statement(count: int, has_reads: bool) -> bytes:
    """The statement that stores one command's outcome and its `count` events; it returns the base position."""
    check = query("check_reads", **_CHECK_LONE) if has_reads else sql.Composed([])
    parts: dict[str, object] = {
        "take_positions": query("take_positions", count=count, check=check),
        "insert_outcome": query("lone_outcome"),
        "channel": CHANNEL,
    }
    if not count:
        statement = query("lone_refusal", **parts)
    else:
        rows = sql.SQL(", ").join(query("lone_event", number=number + 1) for number in range(count))
        statement = query("lone_command", rows=rows, **parts)
    numbers = itertools.count(1)
    return re.sub(rb"%b", lambda _: b"$%d" % next(numbers), statement.as_bytes())


class _Batch:
    """A commit being stored by COPY.

    Sizes are checked before anything is sent. Rows are packed while the server works: those of outcomes while it checks reads and
    locks the head row, those of events while it stores the outcomes.
    """

    def __init__(self, commit: Commit) -> None:
        self.base = 0
        self._recorded = 0
        self._spans = [(one.first_position, one.last_position) for one in commit.outcomes]
        self._commit = commit
        self._encoded = [dump(one.event) for one in commit.events]
        require_sizes(commit.events, self._encoded)
        script = [
            sql.SQL("BEGIN"),
            # In one order for everybody, so that no two wait for each other.
            *map(_advance, sorted(commit.offsets)),
            *map(_dead_letter_insert, commit.dead_letters),
            query("take_positions_for_copy", count=len(commit.events), check=_check(commit), **_NAMES),
            query("copy_outcomes"),
            query("copy_events", **_NAMES),
            *([query("copy_traces")] if commit.traces else []),
            sql.SQL("NOTIFY {}").format(sql.Identifier(CHANNEL)),
            sql.SQL("COMMIT"),
        ]
        self.script = sql.SQL("; ").join(script).as_bytes()

    def copies(self) -> list[Copy]:
        """What makes the rows, in the order of the script. Kept here, it would be a cycle, for the collector to find."""
        copies = [Copy(self._pack_outcomes, self._outcome_rows), Copy(self._pack_events, self._event_rows)]
        return [*copies, Copy(_nothing, self._trace_rows)] if self._commit.traces else copies

    def _pack_outcomes(self) -> None:
        self._outcomes = copy_format.pack_outcomes(
            (
                *(command_id, command_type, content_hash, status),
                *(_reasons(reasons) if reasons else copy_format.NO_REASONS, content, principal),
            )
            for command_id, command_type, content_hash, status, _, _, reasons, content, _, principal in self._commit.outcomes
        )

    def _pack_events(self) -> None:
        events = zip(self._commit.events, self._encoded, strict=True)
        self._events = copy_format.pack_events((one[0], one[1], one.event.type, data, *one[3:]) for one, data in events)

    def _outcome_rows(self, results: Sequence[PGresult]) -> bytes:
        head = next(one for one in reversed(results) if one.status == ExecStatus.TUPLES_OK)
        self.base, self._recorded = (int(head.get_value(0, column) or 0) for column in (0, 1))
        return copy_format.place_outcomes(self._outcomes, self._spans, self.base, self._recorded)

    def _event_rows(self, _: Sequence[PGresult]) -> bytes:
        return copy_format.place_events(self._events, self.base, self._recorded)

    def _trace_rows(self, _: Sequence[PGresult]) -> bytes:
        return copy_format.place_traces(self._commit.traces, self.base)


def _nothing() -> None:
    """No rows to pack."""


def _check(commit: Commit) -> sql.Composed:
    if commit.reads is None:
        return sql.Composed([])
    since, streams, customers = commit.reads
    uuids = {"streams": _uuids(streams), "customers": _uuids(customers)}
    return query("check_reads", since=since, **uuids)


def _uuids(numbers: Iterable[int]) -> sql.Composable:
    """An SQL array literal of UUIDs, made of hexadecimal digits alone, so that no quoting is needed."""
    return sql.SQL("'{{{}}}'::uuid[]").format(sql.SQL(",".join([f"{number:032x}" for number in numbers])))


def _reasons(reasons: Iterable[Refusal]) -> bytes:
    return orjson.dumps([reason.model_dump() for reason in reasons])


def _dead_letter_insert(letter: DeadLetter) -> sql.Composed:
    origin = None if letter.origin is None else letter.origin.decode()
    return query("keep_dead_letter", source=letter.source, raw=letter.raw, reason=letter.reason, origin=origin)


def _advance(offset: Offset) -> sql.Composed:
    return sql.SQL("SELECT ltc.advance_offset({}, {}, {}, {})").format(*offset)
