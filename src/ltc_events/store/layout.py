"""Rows in PostgreSQL's binary COPY format, packed by hand: this is where the time of a large commit goes."""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import NamedTuple
from uuid import UUID

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(2000, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

EVENT_COLUMNS = (
    "position",
    "recorded_at",
    "occurred_at",
    "version",
    "effective_on",
    "stream_id",
    "command_id",
    "correlation_id",
    "causation_id",
    "customer_id",
    "type",
    "actor",
    "data",
)
_EVENT_START = struct.Struct(">hiqiq")
_EVENT_FIXED = struct.Struct(">iqiqii i16s i16s i16s i16s".replace(" ", ""))
_UUID = struct.Struct(">i16s")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)


class Row(NamedTuple):
    """An event on its way into the table: all but what the head row adds (`position`, `recorded_at`)."""

    stream_id: UUID
    version: int
    type: str
    data: bytes
    customer_id: UUID | None
    occurred_at: datetime
    effective_on: date
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID
    actor: str


def microseconds(moment: datetime) -> int:
    """A timestamptz on the wire: microseconds since 2000-01-01 UTC."""
    return (moment - EPOCH) // _MICROSECOND


def pack_events(rows: Iterable[Row]) -> list[bytes]:
    """The rows without `position` and `recorded_at`, which are known only under the head row's lock."""
    packed = []
    fixed, length, uuid = _EVENT_FIXED.pack, _LENGTH.pack, _UUID.pack
    last_moment: datetime | None = None
    occurred = 0
    names: dict[str, bytes] = {}
    for stream_id, version, kind, data, customer_id, moment, effective_on, command, correlation, causation, actor in rows:
        if moment is not last_moment:  # the events of one command share it
            last_moment, occurred = moment, microseconds(moment)
        kind_bytes = names.get(kind) or names.setdefault(kind, _text(kind))
        actor_bytes = names.get(actor) or names.setdefault(actor, _text(actor))
        packed.append(
            fixed(
                8,
                occurred,
                8,
                version,
                4,
                effective_on.toordinal() - EPOCH_DAY,
                16,
                stream_id.bytes,
                16,
                command.bytes,
                16,
                correlation.bytes,
                16,
                causation.bytes,
            )
            + (_NULL if customer_id is None else uuid(16, customer_id.bytes))
            + kind_bytes
            + actor_bytes
            + length(len(data))
            + data
        )
    return packed


def place_events(packed: Sequence[bytes], base: int, recorded: int) -> bytes:
    """The rows at positions `base + 1` … , recorded at `recorded` (microseconds since 2000)."""
    start = _EVENT_START.pack
    columns = len(EVENT_COLUMNS)
    parts = [HEADER]
    for position, row in zip(count(base + 1), packed):
        parts.append(start(columns, 8, position, 8, recorded))
        parts.append(row)
    parts.append(TRAILER)
    return b"".join(parts)


def pack_values(rows: Iterable[Sequence[bytes | None]]) -> bytes:
    """Rows of values that are already in their types' binary format."""
    parts = [HEADER]
    for row in rows:
        parts.append(struct.pack(">h", len(row)))
        parts.extend(_NULL if value is None else _LENGTH.pack(len(value)) + value for value in row)
    parts.append(TRAILER)
    return b"".join(parts)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _LENGTH.pack(len(encoded)) + encoded
