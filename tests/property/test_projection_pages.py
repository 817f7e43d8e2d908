"""Reading the log page by page: every event of the wanted types once, in order, and every page reaches further."""

from collections.abc import Sequence
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from tests.projection_samples import NOON, as_records, bill, chatter

from ltc_events.projections.paging import pages
from ltc_events.schemas.record import Record


class ListedLog:
    """A log in memory, with the store's reading rules."""

    def __init__(self, records: list[Record]) -> None:
        self._records = records

    def head(self) -> tuple[int, datetime]:
        return len(self._records), NOON

    def wait(self, after: int, timeout: float) -> bool:
        return after < len(self._records)

    def read(self, after: int, limit: int, *, types: Sequence[str] | None = None, upto: int | None = None) -> list[Record]:
        found = [record for record in self._records[after:upto] if types is None or record.event.type in types]
        return found[:limit]


# Long runs of one kind: windows must both grow and find themselves too wide.
logs = st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=8).map(
    lambda runs: [wanted for wanted, length in runs for _ in range(length)]
)


@given(logs, st.integers(1, 8), st.integers(0, 40))
def test_pages_cover_the_log_once(wanted: list[bool], limit: int, after: int) -> None:
    records = as_records([bill(n, "1") if yes else chatter() for n, yes in enumerate(wanted)])
    upto = len(records)
    found: list[int] = []
    reached = min(after, upto)
    for page, position in pages(ListedLog(records), min(after, upto), upto, ["sample.billed.v1"], limit):
        assert len(page) <= limit
        assert all(reached < record.position <= position for record in page)
        assert position > reached
        reached = position
        found += [record.position for record in page]
    assert reached == upto
    assert found == [record.position for record in records[after:] if record.event.type == "sample.billed.v1"]
