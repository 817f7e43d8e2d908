"""Reading the log page by page: every event of the wanted types once, in order, and every page reaches further."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st
from tests.projection_samples import NOON, as_records, bill, chatter

from ltc_events.projections.following.log_pages import middle, pages
from ltc_events.schemas.record import Record


class ListedLog:
    """A log in memory, with the store's reading rules: an event that is told as several counts as one, and comes whole."""

    def __init__(self, records: list[Record], readable: int) -> None:
        self._readable = readable
        self._events = [list(parts) for _, parts in groupby(records, lambda record: record.position)]

    def head(self) -> tuple[int, datetime]:
        return len(self._events), NOON

    def readable(self, after: int, upto: int) -> int:
        return min(upto, after + self._readable)

    def wait(self, after: int, timeout: float) -> bool:
        return after < len(self._events)

    def read(self, after: int, limit: int, *, types: Sequence[str] | None = None, upto: int | None = None) -> list[Record]:
        found = [parts for parts in self._events[after:upto] if types is None or parts[0].event.type in types]
        return [part for parts in found[:limit] for part in parts]


# Long runs of one kind: windows must both grow and find themselves too wide. A number says as how many events one is told, and
# 0 is one that nobody asks for.
logs = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 30)), max_size=8).map(
    lambda runs: [wanted for wanted, length in runs for _ in range(length)]
)


@given(logs, st.integers(1, 8), st.integers(0, 40), st.integers(1, 50))
def test_pages_cover_the_log_once(wanted: list[int], limit: int, after: int, readable: int) -> None:
    stored = as_records([bill(n, "1") if parts else chatter() for n, parts in enumerate(wanted)])
    records = [one._replace(part=part) for one, parts in zip(stored, wanted, strict=True) for part in range(1, (parts or 1) + 1)]
    upto = len(stored)
    found: list[tuple[int, int]] = []
    reached = min(after, upto)
    for page, position in pages(ListedLog(records, readable), min(after, upto), upto, ["sample.billed.v1"], limit):
        assert len({record.position for record in page}) <= limit
        assert all(reached < record.position <= position for record in page)
        assert reached < position <= reached + readable
        reached = position
        found += [(record.position, record.part) for record in page]
    assert reached == upto
    assert found == [(one.position, one.part) for one in records if one.position > after and one.event.type == "sample.billed.v1"]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12))
def test_halving_never_parts_the_parts_of_an_event(parts: list[int]) -> None:
    stored = as_records([bill(n, "1") for n, _ in enumerate(parts)])
    records = [one._replace(part=part) for one, many in zip(stored, parts, strict=True) for part in range(1, many + 1)]
    half = middle(records)
    if half is None:
        assert len(stored) == 1
    else:
        assert 1 < half <= len(stored), "neither half is empty, so that halving comes to an end"
