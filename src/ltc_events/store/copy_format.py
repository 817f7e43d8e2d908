"""Rows in PostgreSQL's binary COPY format, packed in bulk."""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import TypeAlias
from uuid import UUID

from ltc_events.schemas.tracing import Trace

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(2000, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
NO_REASONS = b"[]"
"""The reasons of what is accepted, as JSON."""
_ESCAPE = "\\"

# Columns are in the order of the queries `copy_events` and `copy_outcomes`: those known only under the lock come first.
_EVENT_COLUMNS = 13
_OUTCOME_COLUMNS = 10
_EVENT_START = struct.Struct(">hiqiq")
_EVENT_FIXED = struct.Struct(">iqiqiii16si16si16si16s")
_OUTCOME_START = struct.Struct(">hiqiqiq")
_UUID = struct.Struct(">i16s")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)
_JSONB_VERSION = b"\x01"

EventRow: TypeAlias = tuple[UUID, int, str, bytes, UUID | None, datetime, date, UUID, UUID, UUID, str]
"""An event on its way into the table, all but what the head row adds (`position`, `recorded_at`): stream_id, version, type,
data, customer_id, occurred_at, effective_on, command_id, correlation_id, causation_id, actor."""
OutcomeRow: TypeAlias = tuple[UUID, str, bytes, str, bytes, bytes | None, str | None]
"""An outcome likewise: command_id, command_type, content_hash, status, reasons (JSON), content, principal."""
Span: TypeAlias = tuple[int, int]
"""The first and the last position of an outcome."""


def int4(value: int) -> bytes:
    """An integer on the wire."""
    return value.to_bytes(4, "big", signed=True)


def int8(value: int) -> bytes:
    """A bigint on the wire."""
    return value.to_bytes(8, "big", signed=True)


def jsonb(document: bytes) -> bytes:
    """A jsonb on the wire: the JSON behind the version of its format."""
    return _JSONB_VERSION + document


def days(day: date) -> int:
    """A date on the wire: days since 2000-01-01."""
    return day.toordinal() - EPOCH_DAY


def microseconds(moment: datetime) -> int:
    """A timestamptz on the wire: microseconds since 2000-01-01 UTC."""
    return (moment - EPOCH) // _MICROSECOND


def pack_events(rows: Iterable[EventRow]) -> list[bytes]:
    """The rows of events without `position` and `recorded_at`, which are known only under the lock of the head row."""
    packed = []
    fixed, length, uuid, text = _EVENT_FIXED.pack, _LENGTH.pack, _UUID.pack, _Texts()
    last_moment: datetime | None = None
    last_command: UUID | None = None
    occurred = 0
    command_bytes = b""
    last_day: date | None = None
    day = 0
    for stream_id, version, kind, data, customer_id, moment, effective_on, command, correlation, causation, actor in rows:
        # The events of one command share these; and most often a command is its own correlation and causation.
        # `int.to_bytes` is what the property `bytes` of a UUID calls.
        if moment is not last_moment:
            last_moment, occurred = moment, microseconds(moment)
        if command is not last_command:
            last_command, command_bytes = command, command.int.to_bytes(16)
        if effective_on is not last_day:
            last_day, day = effective_on, days(effective_on)
        packed.append(
            fixed(
                8,
                occurred,
                8,
                version,
                4,
                day,
                16,
                stream_id.int.to_bytes(16),
                16,
                command_bytes,
                16,
                command_bytes if correlation is command else correlation.int.to_bytes(16),
                16,
                command_bytes if causation is command else causation.int.to_bytes(16),
            )
            + (_NULL if customer_id is None else uuid(16, customer_id.int.to_bytes(16)))
            + text[kind]
            + text[actor]
            + length(len(data))
            + data
        )
    return packed


def place_events(packed: Sequence[bytes], base: int, recorded: int) -> bytes:
    """The rows with positions from `base + 1` on and `recorded_at` = `recorded` (microseconds since 2000-01-01 UTC)."""
    start = _EVENT_START.pack
    parts = [HEADER]
    for position, row in zip(count(base + 1), packed):
        parts.append(start(_EVENT_COLUMNS, 8, position, 8, recorded))
        parts.append(row)
    parts.append(TRAILER)
    return b"".join(parts)


def pack_outcomes(rows: Iterable[OutcomeRow]) -> list[bytes]:
    """The rows of outcomes without positions and `recorded_at`."""
    packed = []
    length, uuid, text = _LENGTH.pack, _UUID.pack, _Texts()
    # Nearly all are accepted, and end with the same.
    accepted = text["accepted"] + length(len(NO_REASONS) + 1) + _JSONB_VERSION + NO_REASONS + _NULL
    for command_id, command_type, content_hash, status, reasons, content, principal in rows:
        if content is None and status == "accepted" and reasons == NO_REASONS:
            end = accepted
        else:
            end = text[status] + length(len(reasons) + 1) + _JSONB_VERSION + reasons
            end += _NULL if content is None else length(len(content)) + content
        end += _NULL if principal is None else text[principal]
        packed.append(uuid(16, command_id.int.to_bytes(16)) + text[command_type] + length(len(content_hash)) + content_hash + end)
    return packed


def place_outcomes(packed: Sequence[bytes], spans: Sequence[Span], base: int, recorded: int) -> bytes:
    """The rows with positions counted from `base` (0 stays 0: no event) and `recorded_at`."""
    start = _OUTCOME_START.pack
    parts = [HEADER]
    for row, (first, last) in zip(packed, spans, strict=True):
        shift = base if first else 0
        parts.append(start(_OUTCOME_COLUMNS, 8, shift + first, 8, shift + last, 8, recorded))
        parts.append(row)
    parts.append(TRAILER)
    return b"".join(parts)


def place_traces(traces: Iterable[tuple[int, int, Trace]], base: int) -> bytes:
    """Rows in COPY's text format, from first and last position as counted from `base`, and the trace."""
    rows = [
        f"{base + first}\t{base + last}\t{trace.parent}\t{trace.state.replace(_ESCAPE, 2 * _ESCAPE)}\n"
        for first, last, trace in traces
    ]
    return "".join(rows).encode()


class _Texts(dict[str, bytes]):
    """A cache of packed texts, for columns with few distinct values."""

    def __missing__(self, value: str) -> bytes:
        encoded = value.encode()
        packed = self[value] = _LENGTH.pack(len(encoded)) + encoded
        return packed
