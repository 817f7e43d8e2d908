"""Rows of `ltc.events` to records: the hot path of every projection."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from ltc_events.kernel.collector import collector_paused
from ltc_events.schemas.limits import EVENT_BYTES_MAX
from ltc_events.schemas.outcome import Outcome, Refusal, Status
from ltc_events.schemas.record import RawRecord, Record
from ltc_events.store.decoding import DECODERS, decode
from ltc_events.store.queries import query

EVENT_COLUMNS = query("event_columns")
READ_BYTES_MAX = 64 * 1024 * 1024
"""So many bytes of large events are read at once, unless one alone has more. Of all others 5,000 have 80 MiB at most."""
FEW = READ_BYTES_MAX // EVENT_BYTES_MAX
"""So few events are never too much, whatever their size."""


def fitting(large: Iterable[tuple[Any, ...]], after: int, upto: int) -> int:
    """The position, at most `upto`, up to which the events after `after` fit into one read by their bytes; at least one event.

    `large`: positions and sizes in bytes of the large events, in order.
    """
    total = 0
    for position, size in large:
        total += size
        if total > READ_BYTES_MAX and position > after + 1:
            return int(position) - 1
    return upto


def to_records(rows: Iterable[tuple[Any, ...]]) -> list[Record]:
    """Records from rows of EVENT_COLUMNS, at least one for each row; raises UnreadableEvent and its kinds."""
    records: list[Record] = []
    keep, make = records.append, tuple.__new__
    with collector_paused():
        for row in rows:
            (
                position,
                subject,
                version,
                kind,
                data,
                customer,
                occurred,
                effective,
                recorded,
                command,
                correlation,
                causation,
                actor,
            ) = row
            try:
                event = DECODERS[kind](data)
            except (KeyError, ValidationError):
                records += _upcast_records(row)
                continue
            # What Record(…) does, without the way through its own __new__.
            values = (
                position,
                subject,
                version,
                event,
                customer,
                occurred,
                effective,
                recorded,
                command,
                command if correlation is None else correlation,
                command if causation is None else causation,
                actor,
                1,
            )
            keep(make(Record, values))
    return records


def _upcast_records(row: tuple[Any, ...]) -> list[Record]:
    """The records of a row of an older type; raises UnreadableEvent for a row that cannot be decoded."""
    raw = _to_raw_record(row)
    events = decode(raw.type, raw.data, raw.position)
    return [Record._make((*raw[:3], event, *raw[5:], part)) for part, event in enumerate(events, 1)]


def to_raw_records(rows: Iterable[tuple[Any, ...]]) -> list[RawRecord]:
    """Raw records from the same rows, with the exact bytes of the events."""
    return [_to_raw_record(row) for row in rows]


def _to_raw_record(row: tuple[Any, ...]) -> RawRecord:
    return RawRecord._make((*row[:10], row[9] if row[10] is None else row[10], row[9] if row[11] is None else row[11], row[12]))


def to_outcome(row: tuple[Any, ...]) -> Outcome:
    """The outcome of a command from a row of the queries `begin` and `outcomes`."""
    id, type, content_hash, status, first, last, reasons, content, principal = row
    refusals = tuple(Refusal(**one) for one in reasons)
    return Outcome(id, type, content_hash, Status(status), first, last, refusals, content, principal=principal)
