"""Reports are written while they are read: whatever their size, in one view of the data, and never half without a word."""

import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console
from tests.small_company import Company

from ltc_events.reports import runner
from ltc_events.reports.base import Report, declare
from ltc_events.reports.errors import ReportBrokenOff, ReportOutOfRange
from ltc_events.reports.render import write_csv, write_json, write_parquet, write_table
from ltc_events.reports.runner import Answer, open_report
from ltc_events.store import Database, EventStore

LONG = """/*
title = "Many rows"
key = ["number"]
events = "SELECT position, position AS number FROM ltc_read.timeline"
definition = "So many rows as are asked for."
ties_to = "Nothing at all."

[parameters]
rows = { type = "integer", default = 0, meaning = "how many" }
breaks_at = { type = "integer", default = 0, meaning = "the row that cannot be worked out" }

[columns]
number = { type = "integer", meaning = "number of the row" }
words = { type = "text", meaning = "long words" }
currency = { type = "text", meaning = "currency of the amount" }
amount = { type = "money", meaning = "the number again", total = true }
numbers = { type = "json", meaning = "both numbers" }
late = { type = "text", optional = true, meaning = "something that only the last row has" }
*/
SELECT n AS number, repeat('long words ', 20) || n AS words, 'EUR' AS currency, n / sign(n - %(breaks_at)s)::numeric AS amount,
       jsonb_build_array(n, n) AS numbers, CASE WHEN n = %(rows)s THEN 'here' END AS late
FROM generate_series(1, %(rows)s) n, (SELECT count(*) FROM ltc_read.timeline) something
"""
ROWS = 20_000
MEMORY_MAX = 8_000_000
"""Bytes. All rows at once take at least half as much again in any form."""


@pytest.fixture
def database(database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch) -> Database:
    """One where there is a report `long`."""
    Company(database, event_store).follow()
    known: dict[str, Report] = {"long": declare("long", LONG)}
    monkeypatch.setattr(runner, "find_report", known.__getitem__)
    return database


def no_more_than(limit: int, work: Callable[[], Any]) -> None:
    tracemalloc.start()
    try:
        work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < limit, f"{peak:,} bytes"


class Nowhere(io.TextIOBase):
    """A stream that counts what goes by and keeps its end."""

    def __init__(self) -> None:
        self.size, self.end = 0, ""

    def write(self, text: str) -> int:
        self.size += len(text)
        self.end = (self.end + text)[-2_000:]
        return len(text)


@pytest.mark.parametrize("form", ["json", "csv", "table", "records", "parquet"])
def test_no_form_of_a_report_holds_all_rows_at_once(database: Database, form: str, tmp_path: Path) -> None:
    stream = Nowhere()
    write: dict[str, Callable[[Answer], None]] = {
        "json": lambda answer: write_json(answer, stream),
        "csv": lambda answer: write_csv(answer, stream),
        "table": lambda answer: write_table(answer, Console(file=stream, width=400)),
        "records": lambda answer: write_table(answer, Console(file=stream, width=30)),
        "parquet": lambda answer: write_parquet(answer, tmp_path / "long.parquet"),
    }

    def work() -> None:
        with open_report(database, "long", parameters={"rows": ROWS}) as answer:
            write[form](answer)
            assert answer.totals == {"amount": {"EUR": ROWS * (ROWS + 1) // 2}}

    with open_report(database, "long", parameters={"rows": 10}) as answer:
        write[form](answer)  # what is imported or cached when it is used first is not counted
    no_more_than(MEMORY_MAX, work)
    assert form == "parquet" or stream.size > 200 * ROWS


def test_a_document_is_one_whatever_its_size(database: Database) -> None:
    for rows in (0, 1, 1_200):
        stream = io.StringIO()
        with open_report(database, "long", parameters={"rows": rows}) as answer:
            write_json(answer, stream)
        document = json.loads(stream.getvalue())
        assert [row["number"] for row in document["rows"]] == list(range(1, rows + 1))
        assert [row["numbers"] for row in document["rows"]] == [[n, n] for n in range(1, rows + 1)]
        assert list(document)[-2:] == ["rows", "totals"]
        if not rows:
            assert stream.getvalue().encode() == orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def test_a_table_shows_what_only_its_last_row_says(database: Database) -> None:
    stream = io.StringIO()
    with open_report(database, "long", parameters={"rows": ROWS}) as answer:
        write_table(answer, Console(file=stream, width=400))
    lines = stream.getvalue().splitlines()
    assert lines[1].split() == ["number", "words", "currency", "amount", "numbers", "late"]
    assert lines[1 + ROWS].split()[-1] == "here"
    assert {len(line.rstrip()) for line in lines[2 : 1 + ROWS]} <= {len(lines[2].rstrip()) + more for more in range(9)}
    assert len(lines) == 1 + 1 + ROWS + 1 + 1, "title, head, rows, totals, basis"


def test_what_fails_before_the_first_row_writes_nothing(database: Database) -> None:
    with (
        pytest.raises(ReportOutOfRange, match="division by zero"),
        open_report(database, "long", parameters={"rows": 10, "breaks_at": 1}),
    ):
        pytest.fail("there is nothing to be written")


def test_a_report_that_breaks_off_says_so(database: Database) -> None:
    stream = io.StringIO()
    with (
        pytest.raises(ReportBrokenOff, match=r"after 8,5\d\d rows: division by zero"),
        open_report(database, "long", parameters={"rows": 9_000, "breaks_at": 8_600}) as answer,
    ):
        write_json(answer, stream)
    with pytest.raises(json.JSONDecodeError):
        json.loads(stream.getvalue())
