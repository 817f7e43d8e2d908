"""Rows of `ltc.events` to records: the hot path of every projection."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from ltc_events.kernel.collector import collector_paused
from ltc_events.schemas.record import RawRecord, Record
from ltc_events.store.errors import UnknownEvent, UnreadableEvent
from ltc_events.store.mapper import DECODERS
from ltc_events.store.queries import query

EVENT_COLUMNS = query("event_columns")


def to_records(rows: Iterable[tuple[Any, ...]]) -> list[Record]:
    """Records from rows of EVENT_COLUMNS; raises UnknownEvent, UnreadableEvent."""
    records: list[Record] = []
    keep, make = records.append, tuple.__new__
    with collector_paused():
        for (
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
        ) in rows:
            try:
                event = DECODERS[kind](data)
            except KeyError:
                raise UnknownEvent(position=position, type=kind) from None
            except ValidationError as error:
                raise _unreadable(kind, position, error) from error
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
            )
            keep(make(Record, values))
    return records


def to_raw_records(rows: Iterable[tuple[Any, ...]]) -> list[RawRecord]:
    """The same rows with the bytes of the events as they are."""
    return [
        RawRecord._make((*row[:10], row[9] if row[10] is None else row[10], row[9] if row[11] is None else row[11], row[12]))
        for row in rows
    ]


def _unreadable(kind: str, position: int, error: ValidationError) -> UnreadableEvent:
    """Which stored event does not fit its class, and where."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    return UnreadableEvent(position=position, type=kind, reason=f"{place}: {first['msg']}")
