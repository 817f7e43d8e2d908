"""Data out as files: whole or not there, the same bytes each time, every value kept, and no formula in a spreadsheet."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from tests.small_company import Company

from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.querying import workbook
from ltc_events.querying.errors import DoesNotFit, NoMonths, NothingToExport, PresentStateOnly
from ltc_events.querying.exports import Export, open_export
from ltc_events.querying.forms import MANIFEST, Form, write_file, write_months, write_text
from ltc_events.querying.session import TABLES
from ltc_events.reports.base import Column, ColumnType
from ltc_events.reports.registry import NAMES
from ltc_events.simulation import ENDS_ON
from ltc_events.store import Database, EventStore, Role


def exported(database: Database, name: str, form: Form, path: Path, **asked: Any) -> Path:
    with open_export(database, name, **asked) as found:
        write_file(found, found.rows, form, path)
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_no_name_means_two_things() -> None:
    assert not {"events", *TABLES} & set(NAMES)
    assert "events" not in TABLES


@pytest.mark.parametrize("name", [one.table for one in PROJECTIONS])
def test_every_read_table_goes_out_whole_in_every_form(company: Database, tmp_path: Path, name: str) -> None:
    with company.connect(Role.READER) as reader:
        ((count,),) = reader.execute(
            psycopg.sql.SQL("SELECT count(*) FROM ltc_read.{}").format(psycopg.sql.Identifier(name))
        ).fetchall()
    objects = lines(exported(company, name, Form.JSONL, tmp_path / "t.jsonl"))
    assert len(objects) == count
    with (tmp_path / "t.csv").open("w", newline="") as stream, open_export(company, name) as found:
        write_text(found, found.rows, Form.CSV, stream)
    with (tmp_path / "t.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["position" if "position" in row else next(iter(row))] for row in rows] == [
        str(one["position" if "position" in one else next(iter(one))]) for one in objects
    ]
    table = pq.read_table(exported(company, name, Form.PARQUET, tmp_path / "t.parquet"))
    assert table.num_rows == count
    for field in table.schema:
        assert field.metadata[b"comment"].decode() == TABLES[name].columns[field.name].meaning
    exported(company, name, Form.XLSX, tmp_path / "t.xlsx")
    assert sheet(tmp_path / "t.xlsx").count("<row ") == count + 1


def test_money_keeps_every_cent_and_the_state_it_was_asked_at(company: Database, tmp_path: Path) -> None:
    with EventStore(company, Role.PROJECTOR) as store:
        position = store.command_end(store.head()[0] // 2)
    path = exported(company, "journal", Form.PARQUET, tmp_path / "j.parquet", known_at=str(position), as_of="2026-02-28")
    table = pq.read_table(path)
    with company.connect(Role.READER) as reader:
        query = "SELECT account, sum(amount) FROM ltc_read.journal WHERE position <= %s AND effective_on <= %s GROUP BY account"
        expected = dict(reader.execute(query, (position, date(2026, 2, 28))).fetchall())
    found: dict[str, Decimal] = {}
    for account, amount in zip(table["account"].to_pylist(), table["amount"].to_pylist(), strict=True):
        found[account] = found.get(account, Decimal(0)) + amount
    assert found == expected != {}
    assert table.schema.metadata[b"ltc.position"] == str(position).encode()


def test_events_are_told_as_they_are_told_today(company: Database, tmp_path: Path) -> None:
    objects = lines(exported(company, "events", Form.JSONL, tmp_path / "e.jsonl", known_at="500"))
    with EventStore(company, Role.PROJECTOR) as store:
        end = store.command_end(500)
        records = store.read(0, end, upto=end)
    assert [one["position"] for one in objects] == [record.position for record in records] == list(range(1, end + 1))
    assert [one["type"] for one in objects] == [record.event.type for record in records]
    assert objects[0]["data"] == records[0].event.model_dump(mode="json", exclude_none=True)


def test_the_same_rows_make_the_same_bytes(company: Database, tmp_path: Path) -> None:
    for form in Form:
        for name in ("events", "invoices", "customer-value"):
            asked = {"as_of": str(ENDS_ON)} if name in NAMES else {}
            one, other = (exported(company, name, form, tmp_path / f"{name}{which}.{form}", **asked) for which in "ab")
            assert one.read_bytes() == other.read_bytes(), (form, name)


def test_what_cannot_be_is_refused(company: Database, tmp_path: Path) -> None:
    with pytest.raises(NothingToExport) as refused, open_export(company, "custmers"):
        pass
    assert "customers" in refused.value.fix
    with pytest.raises(PresentStateOnly), open_export(company, "customers", known_at="100"):
        pass
    for name in ("customers", "funnel"):
        with open_export(company, name) as found, pytest.raises(NoMonths):
            write_months(found, Form.CSV, tmp_path / "months")


def test_a_month_that_is_over_stays_as_it_is(database: Database, event_store: EventStore, tmp_path: Path) -> None:
    company = Company(database, event_store)
    company.capture("L1", on="2026-01-10")
    company.follow()
    this_month = f"{datetime.now(UTC):%Y-%m}"
    with open_export(database, "timeline") as found:
        (first,) = write_months(found, Form.PARQUET, tmp_path)
    assert first.file == f"month={this_month}/timeline.parquet"
    stale = tmp_path / "month=1999-01" / "timeline.parquet"
    stale.parent.mkdir()
    stale.write_text("of another ledger")
    other = stale.with_name("mine.parquet")
    other.write_text("of somebody else")
    with open_export(database, "timeline") as found:
        (again,) = write_months(found, Form.PARQUET, tmp_path)
    assert again == first
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert manifest["files"] == [first._asdict()]
    assert manifest["columns"][0]["meaning"] == TABLES["timeline"].columns["position"].meaning
    assert (stale.exists(), other.exists()) == (False, True)


def in_months() -> Iterator[tuple[Any, ...]]:
    for month in (1, 1, 2, 3):
        yield (month, datetime(2026, month, 5, tzinfo=UTC))


TWO = (Column("n", ColumnType.INTEGER, "a number"), Column("recorded_at", ColumnType.TIME, "when"))


def test_rows_go_to_the_month_that_they_were_recorded_in(tmp_path: Path) -> None:
    written = write_months(Export("t", "-", TWO, in_months(), None, 4, 1), Form.JSONL, tmp_path)
    assert [(one.file, one.rows) for one in written] == [
        ("month=2026-01/t.jsonl", 2),
        ("month=2026-02/t.jsonl", 1),
        ("month=2026-03/t.jsonl", 1),
    ]


KILLED = """
import sys, time
from pathlib import Path
from tests.integration.test_exports import TWO
from ltc_events.querying.exports import Export
from ltc_events.querying.forms import Form, write_file
def rows():
    for n in range(100_000):
        yield (n, None)
    print("amid", flush=True)
    time.sleep(600)
write_file(Export("t", "-", TWO, (), None, 1), rows(), Form(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("form", list(Form))
def test_what_is_killed_leaves_no_file_that_looks_whole(tmp_path: Path, form: Form) -> None:
    path = tmp_path / f"t.{form}"
    path.write_text("what was there before")
    command = [sys.executable, "-c", KILLED, str(form), str(path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"amid\n"
        child.send_signal(signal.SIGKILL)
    assert path.read_text() == "what was there before"
    assert [one.name for one in tmp_path.iterdir() if not one.name.startswith(".")] == [path.name]


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[Any, ...]]:
        yield (1, None)
        raise ZeroDivisionError

    for form in Form:
        with pytest.raises(ZeroDivisionError):
            write_file(Export("t", "-", TWO, (), None, 1), rows(), form, tmp_path / f"t.{form}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", list(Form))
def test_more_rows_take_no_more_memory(tmp_path: Path, form: Form) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        rows = ((n, datetime(2026, 1, 1, tzinfo=UTC)) for n in range(count))
        write_file(Export("t", "-", TWO, (), None, 1), rows, form, tmp_path / f"t.{form}")
        _, found = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return found

    peak(10_000)
    assert peak(60_000) < peak(20_000) * 1.5


def sheet(path: Path, number: int = 1) -> str:
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        return book.read(f"xl/worksheets/sheet{number}.xml").decode()


CELLS = (
    Column("a", ColumnType.TEXT, "text & more"),
    Column("b", ColumnType.DECIMAL, "number"),
    Column("c", ColumnType.DATE, "date"),
    Column("d", ColumnType.BOOLEAN, "truth"),
)


def cells(tmp_path: Path, *row: Any) -> list[str]:
    path = tmp_path / "w.xlsx"
    workbook.write_workbook("w", CELLS, [row], path)
    return re.findall(r"<c [^>]*?(?:/>|>.*?</c>)", sheet(path))[len(CELLS) :]


def test_cells_of_a_workbook_are_what_they_look_like(tmp_path: Path) -> None:
    text, number, day, truth = cells(tmp_path, '=HYPERLINK("http://x")', Decimal("1234.50"), date(2026, 3, 31), True)
    assert (text[:7], 't="inlineStr"' in text, 's="3"' in text, "<f>" in text) == ('<c r="A', True, True, False)
    assert (number, day, truth) == (
        '<c r="B2"><v>1234.5</v></c>',
        '<c r="C2" s="1"><v>46112</v></c>',
        '<c r="D2" t="b"><v>1</v></c>',
    )
    text, number, day, *_ = cells(tmp_path, "a\x1b<b>_x0041_", Decimal("12345678901234567.89"), date(1899, 1, 1), False)
    assert "a_x001B_&lt;b&gt;_x005F_x0041_" in text
    assert "12345678901234567.89</t>" in number, "a number of Excel would lose its last digits"
    assert "1899-01-01</t>" in day
    assert len(cells(tmp_path, None, None, None, None)) == 0
    with pytest.raises(DoesNotFit, match="40,000 characters"):
        cells(tmp_path, "x" * 40_000, None, None, None)


def test_a_sheet_that_is_full_goes_on_on_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "ROWS_MAX", 4)
    path = tmp_path / "w.xlsx"
    for count, sheets in ((0, 1), (3, 1), (4, 2), (7, 3)):
        workbook.write_workbook("w", CELLS, [(str(n), None, None, None) for n in range(count)], path)
        with zipfile.ZipFile(path) as book:
            names = re.findall(r'<sheet name="([^"]*)"', book.read("xl/workbook.xml").decode())
        assert names == [*["w", "w 2", "w 3"][:sheets], "columns"], count
        assert sum(sheet(path, number + 1).count("<row ") - 1 for number in range(sheets)) == count


def ltc(database: Database, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LTC_DATABASE_URL": database.conninfo, "LTC_LOG_FORMAT": "console"}
    command = [sys.executable, "-m", "ltc_events", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_line_says_what_it_wrote_and_refuses_what_makes_no_sense(company: Database, tmp_path: Path) -> None:
    path = tmp_path / "aging.xlsx"
    done = ltc(company, "export", "receivables-aging", "--per", "customer", "--as-of", str(ENDS_ON), "-o", str(path), "--json")
    (file,) = json.loads(done.stdout)["files"]
    assert (file["file"], sheet(path).count("<row ")) == ("aging.xlsx", file["rows"] + 1)
    done = ltc(company, "export", "campaigns")
    assert next(csv.reader(io.StringIO(done.stdout)))[0] == "campaign_id"
    for words in (
        ("export", "journal", "--format", "parquet"),
        ("export", "journal", "--by-month"),
        ("export", "journal", "-o", str(tmp_path)),
        ("export", "journal", "--by-month", "-o", str(path)),
        ("export", "journal", "--per", "customer"),
        ("export", "customers", "--by-month", "-o", str(tmp_path / "months")),
        ("export", "nothing"),
        ("export", "receivables-aging", "--nope", "1"),
    ):
        assert ltc(company, *words).returncode == 2, words
