"""Restores a store that went back: reinserts events at their positions, and begins an epoch.

For the owner of the ledger alone, within one transaction that holds the head of the log.
"""

from collections.abc import Sequence
from typing import Any

import orjson
import psycopg

from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.record import RawRecord
from ltc_events.store.commit import Offset, StoredTrace
from ltc_events.store.errors import OffsetMoved
from ltc_events.store.event_store import OFFSET_MOVED
from ltc_events.store.queries import query

Connection = psycopg.Connection[tuple[Any, ...]]

_LOCK_HEAD = query("lock_head").as_bytes()
_MOVE_HEAD = query("move_head").as_bytes()
_PUT_BACK_EVENTS = query("put_back_events").as_bytes()
_PUT_BACK_OUTCOME = query("put_back_outcome").as_bytes()
_COPY_TRACES = query("copy_traces").as_bytes()
_BEGIN_EPOCH = query("begin_epoch").as_bytes()
_SET_OFFSET = query("set_offset").as_bytes()
_ADVANCE_OFFSET = query("advance_offset").as_bytes()
_KEEP_EXPIRED = query("keep_expired").as_bytes()


def locked_head(connection: Connection) -> int:
    """Lock the head row until the transaction ends; the last position."""
    row = connection.execute(_LOCK_HEAD).fetchone()
    return int(row[0]) if row else 0


def put_back(
    connection: Connection, records: Sequence[RawRecord], outcomes: Sequence[Outcome], traces: Sequence[StoredTrace]
) -> None:
    """Store events at their former positions, with bytes, times and traces, and the outcomes of commands that have none.

    The events follow the last one without a gap.
    """
    last = records[-1]
    connection.execute(_MOVE_HEAD, {"position": last.position, "recorded_at": last.recorded_at})
    with connection.cursor() as cursor, cursor.copy(_PUT_BACK_EVENTS) as rows:
        for one in records:
            rows.write_row(one)
    with connection.cursor() as cursor, cursor.copy(_COPY_TRACES) as rows:
        for part in traces:
            rows.write_row((part.first_position, part.last_position, *part.trace))
    recorded = {one.command_id: one.recorded_at for one in records}
    for outcome in outcomes:
        values = {
            "id": outcome.command_id,
            "type": outcome.command_type,
            "hash": outcome.content_hash,
            "status": outcome.status.value,
            "first": outcome.first_position,
            "last": outcome.last_position,
            "reasons": orjson.dumps([reason.model_dump() for reason in outcome.reasons]).decode(),
            "content": outcome.content,
            "principal": outcome.principal,
            "recorded_at": recorded.get(outcome.command_id, last.recorded_at),
        }
        connection.execute(_PUT_BACK_OUTCOME, values)


def begin_epoch(connection: Connection, number: int, name: str, *, after: int, by: str, reason: str) -> None:
    """Begin an epoch after a position: a new one, or one that the store lost, so that its void events are known."""
    connection.execute(_BEGIN_EPOCH, {"number": number, "epoch": name, "after": after, "by": by, "reason": reason})


def set_offset(connection: Connection, feed: str, next_offset: int, *, only_back: bool) -> None:
    """Set the offset of a single-partition feed, if it was ever read; with `only_back`, only to a lower one."""
    connection.execute(_SET_OFFSET, {"feed": feed, "next": next_offset, "only_back": only_back})


def pass_expired(connection: Connection, moves: Sequence[Offset], *, by: str, reason: str) -> None:
    """Move the offsets of a partition past messages that expired unread, and record who decided so; the feed's own offset first.

    Raises OffsetMoved.
    """
    feed, partition, first, following = moves[0]
    try:
        for move in moves:
            connection.execute(_ADVANCE_OFFSET, move)
    except psycopg.Error as error:
        if error.sqlstate == OFFSET_MOVED:
            raise OffsetMoved(detail=error.diag.message_primary) from error
        raise
    told = {"feed": feed, "partition": partition, "first": first, "next": following, "by": by, "reason": reason}
    connection.execute(_KEEP_EXPIRED, told)
