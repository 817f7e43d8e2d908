"""Reads the log page by page."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from ltc_events.schemas.record import Record

WINDOW_POSITIONS_MAX = 200_000
READ_EVENTS = 5_000
"""Events that are read at once, where nothing else says how many: larger pages leave the processor's caches, and take memory."""


class Log(Protocol):
    """The part of the event store that projectors use."""

    def head(self) -> tuple[int, datetime]: ...
    def read(self, after: int, limit: int, *, types: Sequence[str] | None = None, upto: int | None = None) -> list[Record]: ...
    def readable(self, after: int, upto: int) -> int: ...
    def wait(self, after: int, timeout: float) -> bool: ...


def pages(log: Log, after: int, upto: int, types: Sequence[str], limit: int) -> Iterator[tuple[list[Record], int]]:
    """Pages of the log, each with the position it reaches.

    Each read is bounded by a window of positions that adapts to fill a page: whatever the query plan, the database never sorts
    the rest of the log, and the checkpoint advances even where events of these types are rare. Where events are large, their
    bytes bound the window.
    """
    window = limit
    while after < upto:
        end = log.readable(after, min(after + window, upto))
        records = log.read(after, limit, types=types, upto=end)
        # A page of `limit` stored events has so many records at least: some may be told as several.
        is_full = len(records) >= limit
        after = records[-1].position if is_full else end
        if len(records) < limit // 2:
            window = min(window * 2, WINDOW_POSITIONS_MAX)
        elif is_full:
            window = max(window // 2, limit)
        yield records, after


def middle(records: Sequence[Record]) -> int | None:
    """The position at which the second half of these records begins; None: all have one position."""
    first, last = records[0].position, records[-1].position
    if first == last:
        return None
    half = records[len(records) // 2].position
    return half if half > first else next(one.position for one in records if one.position > first)
