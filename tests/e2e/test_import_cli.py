"""`ltc import` as its users meet it: the exit code, with and without `--strict`."""

from pathlib import Path

import pytest
from tests.e2e.test_cli import Ltc
from tests.integration.test_import_runs import write_shop

from ltc_events.store import Database

HEADER = "id,customer,ordered,amount"
GOOD = ["1,Ada,2026-01-02,10.00", "2,Bea,2026-01-03,20.00"]


@pytest.fixture
def ltc(database: Database) -> Ltc:
    return Ltc(LTC_DATABASE_URL=database.conninfo)


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop")


def source(mapping: Path, *rows: str) -> tuple[str, ...]:
    """The words of an import of these rows."""
    (mapping.parent / "orders.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return "import", str(mapping), "--data", str(mapping.parent)


def test_strict_is_content_with_rows_that_are_all_new(ltc: Ltc, mapping: Path) -> None:
    ltc(*source(mapping, *GOOD), "--strict", "--dry-run")
    ltc(*source(mapping, *GOOD), "--strict")


def test_strict_minds_rows_that_were_there_before(ltc: Ltc, mapping: Path) -> None:
    ltc(*source(mapping, *GOOD))
    ltc(*source(mapping, *GOOD))
    ltc(*source(mapping, *GOOD), "--strict", exits=1)


@pytest.mark.parametrize("bad", ["3,Cid,2026-01-04,ten", "3,,2026-01-04,10.00"], ids=["unreadable", "refused"])
def test_strict_minds_rows_that_are_unreadable_or_refused(ltc: Ltc, mapping: Path, bad: str) -> None:
    words = source(mapping, *GOOD, bad)
    told = ltc.json(*words, "--strict", "--dry-run", exits=1)
    assert told["refused"] == 1
    done = ltc(*words, "--strict", exits=1)
    assert b"orders.csv:4" in done.stdout + done.stderr
