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


def test_a_file_that_nobody_has_seen_takes_three_commands(ltc: Ltc, tmp_path: Path) -> None:
    """As the README says: scaffold, rehearse, import. Then it is previewed, and taken back."""
    (tmp_path / "deals.csv").write_text(
        "Deal ID;Account;Created;Amount\nD-1;Alpha GmbH;13.01.2024;1.250,50\nD-2;Beta AG;14.01.2024;89,00\n", encoding="utf-8"
    )
    data, mapping = str(tmp_path), str(tmp_path / "mapping")
    told = ltc.json("import", "scaffold", str(tmp_path / "deals.csv"), "-o", mapping)
    assert [(one["file"], one["kind"]) for one in told["files"]] == [("deals.csv", "pipeline")]
    assert told["doubts"] == ["no column says which currency amounts are in; EUR is taken (--currency)"]
    assert ltc.json("import", mapping, "--data", data, "--dry-run", "--strict")["complete"]
    done = ltc.json("import", "--data", data, mapping, "--strict")
    assert (done["complete"], done["balanced"]) == (True, True)
    assert done["controls"][0]["ledger"] == "1339.50"
    assert b"1.250,50" in ltc("import", "preview", mapping, "--data", data, "--rows", "1").stdout
    shown = ltc.json("import", "undo", done["run"])
    assert (shown["done"], shown["stays"]["opportunity.opened.v1"]) == (False, 2)
    ltc("import", "undo", "nonsense", exits=2)


def test_what_cannot_be_recognised_writes_nothing(ltc: Ltc, tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("what,when\nx,y\n", encoding="utf-8")
    told = ltc.json("import", "scaffold", str(tmp_path), "-o", str(tmp_path / "mapping"), exits=1)
    assert told["mapping"] is None
    assert not (tmp_path / "mapping").exists()


def test_a_ready_made_mapping_is_listed_copied_and_rehearsed(ltc: Ltc, tmp_path: Path) -> None:
    assert "salesforce" in [one["name"] for one in ltc.json("import", "mappings")]
    assert b"hubspot" in ltc("import", "mappings").stdout
    data = str(Path(__file__).parents[1] / "data" / "ready_made" / "salesforce" / "january")
    mapping = str(tmp_path / "mapping")
    told = ltc.json("import", "scaffold", "--ready-made", "salesforce", data, "-o", mapping)
    assert (told["mapping"], told["missing"]) == (mapping, [])
    assert ltc.json("import", mapping, "--data", data, "--dry-run", "--strict")["complete"]
    told = ltc.json("import", "scaffold", "--ready-made", "stripe", data, "-o", str(tmp_path / "other"))
    assert told["missing"] == ["customers*.csv", "invoices*.csv", "unified_payments*.csv", "*balance_change*.csv"]
    ltc("import", "scaffold", "--ready-made", "salesforce", data, "-o", mapping, exits=2)
    assert b"did you mean salesforce?" in ltc("import", "scaffold", "--ready-made", "salesforc", data, exits=2).stderr
