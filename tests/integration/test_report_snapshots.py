"""What every report says of the golden company is what was reviewed: see tests/snapshots/reports.py."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from tests.snapshots import reports as snapshots

from ltc_events.reports.registry import NAMES
from ltc_events.store import Database

ANEW = "if that is meant, `make snapshots` writes it anew; review the difference like code"


@pytest.fixture(scope="module")
def golden_company(server: Any) -> Iterator[Database]:
    """The golden company with its read tables."""
    name = server.create()
    database = server.at(name)
    snapshots.load(database)
    yield database
    server.drop(name)


@pytest.mark.parametrize("report", NAMES)
def test_a_report_says_what_was_reviewed(golden_company: Database, report: str) -> None:
    path = snapshots.path_of(report)
    assert path.exists(), f"{report} has no snapshot: `make snapshots` writes it"
    reviewed, said = path.read_text(encoding="utf-8"), snapshots.snapshot(golden_company, report)
    assert said.splitlines() == reviewed.splitlines(), f"{report} says something else than {path.name}; {ANEW}"


def test_a_report_has_one_snapshot_which_shows_rows() -> None:
    """A report that says nothing of the golden company is asked as of another date: see `snapshots.ASKED`."""
    rows = {path.stem: len(orjson.loads(path.read_bytes())["rows"]) for path in snapshots.FOLDER.glob("*.json")}
    assert rows.keys() == set(NAMES)
    assert [name for name, count in rows.items() if count == 0] == []
    assert snapshots.ASKED.keys() <= set(NAMES)
