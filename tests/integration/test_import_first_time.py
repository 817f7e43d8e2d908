"""Files that nobody has seen: a mapping is made for them, previewed, rehearsed, imported, and taken back."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.mappings import counts
from tests.unit.shared_data import SHARED_DATA

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.importing import DataUnusable, run_import
from ltc_events.importing.plan import prepare
from ltc_events.importing.preview import preview
from ltc_events.importing.scaffold import Scaffold, profile, recognise, scaffold
from ltc_events.importing.undo import undo, undoing
from ltc_events.store import EventStore

DEALS = """Deal ID;Account;Deal name;Stage;Created;Modified;Amount
D-1;Alpha GmbH;Press line;Offer;13.01.2024;02.02.2024;1.250,50 €
D-2;Beta AG;Conveyor;New;14.01.2024;14.01.2024;89,00 €
D-3;Alpha GmbH;"Spare; parts";New;31.01.2024;31.01.2024;12.000,00 €
"""
CUSTOMERS = """customer_id,company_name,e-mail,country,registered
7,Alpha GmbH,info@alpha.example,DE,2023-05-01
8,Beta AG,post@beta.example,AT,2023-06-13
"""
ORDERS = """OrderNo,CustomerId,OrderDate,Total
100,7,2024/01/13,1000.00
101,8,2024/01/15,250.50
"""
INVOICES = """Invoice Number,Customer Id,Order No,Invoice Date,Grand Total
R1,7,100,2024-01-20,1000.00
R2,8,101,2024-01-21,250.50
"""
PAYMENTS = """Payment id,Invoice,Customer,Paid on,Amount,Method
P1,R1,7,"Feb 13, 2024","$1,000.00",card
"""

Make = Callable[..., Path]


@pytest.fixture
def files(tmp_path: Path) -> Make:
    """A folder with these files."""

    def files(**texts: str) -> Path:
        folder = tmp_path / "export"
        folder.mkdir()
        for name, text in texts.items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        return folder

    return files


def write(made: Scaffold, tmp_path: Path) -> Path:
    made.write(tmp_path / "mapping")
    return tmp_path / "mapping"


def test_a_company_whose_files_refer_to_each_other(files: Make, tmp_path: Path, event_store: EventStore) -> None:
    data = files(customers=CUSTOMERS, orders=ORDERS, invoices=INVOICES, payments=PAYMENTS)
    made = scaffold(data, "company")
    assert {one.name: one.kind for one in made.recognised} == {
        "customers": "customers", "orders": "orders", "invoices": "invoices", "payments": "payments",
    }  # fmt: skip
    mapping = write(made, tmp_path)
    rehearsed = run_import(mapping, data, event_store, SystemClock(), dry_run=True)
    assert rehearsed.refused_rows == []
    assert event_store.head()[0] == 0
    result = run_import(mapping, data, event_store, SystemClock())
    assert result.complete
    assert result.balanced
    assert {type: count.accepted for type, count in result.commands.items() if type != "policy.publish.v1"} == {
        "customer.register.v1": 2, "order.place.v1": 2, "invoice.issue.v1": 2, "payment.receive.v1": 1, "payment.allocate.v1": 1,
    }  # fmt: skip
    assert [(one.name, str(one.source), str(one.ledger)) for one in result.controls] == [
        ("customers", "2", "2"), ("invoices", "1250.50", "1250.50"), ("orders", "1250.50", "1250.50"),
        ("payments", "1000.00", "1000.00"),
    ]  # fmt: skip


def test_a_lone_file_in_german_numbers_and_its_second_month(files: Make, tmp_path: Path, event_store: EventStore) -> None:
    data = files(export=DEALS)
    made = scaffold(data / "export.csv", "crm")
    assert (made.recognised[0].kind, made.currency) == ("pipeline", "EUR")
    mapping = write(made, tmp_path)
    first = run_import(mapping, data, event_store, SystemClock())
    assert (first.complete, first.balanced) == (True, True)
    assert str(first.controls[0].ledger) == "13339.50"
    (data / "export.csv").write_text(DEALS.replace("14.01.2024;89,00", "15.02.2024;98,00"), encoding="utf-8")
    second = run_import(mapping, data, event_store, SystemClock())
    assert (second.complete, second.balanced) == (True, True)
    assert second.commands["opportunity.change_amount.v1"].accepted == 1
    assert sum(counts(second).values()) == 1 + sum(one.duplicate for one in second.commands.values())


def test_a_rehearsal_adds_up_only_what_rows_name(files: Make, tmp_path: Path, event_store: EventStore) -> None:
    """Orders are placed for their own file, and for invoices without one."""
    data = files(orders=ORDERS, customers=CUSTOMERS, invoices=INVOICES.replace(",100,", ",,").replace(",101,", ",,"))
    mapping = write(scaffold(data, "company"), tmp_path)
    rehearsed = run_import(mapping, data, event_store, SystemClock(), dry_run=True)
    real = run_import(mapping, data, event_store, SystemClock())
    assert real.commands["order.place.v1"].accepted == 4
    assert (real.complete, real.balanced) == (True, True)
    assert rehearsed.document() == {**real.document(), "dry_run": True, "run": ""}


@pytest.mark.parametrize("states", [True, False])
def test_each_currency_comes_out_by_itself(files: Make, tmp_path: Path, event_store: EventStore, states: bool) -> None:
    """An invoice that does not say its currency is in that of its order: rows are counted, as amounts cannot be added up."""
    head, eur, usd = (",Currency", ",EUR", ",USD") if states else ("", "", "")
    data = files(
        orders="OrderNo,Customer,OrderDate,Total,Currency\n100,Alpha,2024-01-13,1000.00,EUR\n101,Beta,2024-01-15,250.50,USD\n",
        invoices=f"Invoice Number,Customer,Order No,Invoice Date,Grand Total{head}\n"
        f"R1,Alpha,100,2024-01-20,1000.00{eur}\nR2,Beta,101,2024-01-21,250.50{usd}\n",
    )
    made = scaffold(data, "both")
    assert any("each has control totals of its own" in one for one in made.doubts)
    assert any("which of EUR, USD" in one for one in made.doubts) != states
    result = run_import(write(made, tmp_path), data, event_store, SystemClock())
    assert (result.complete, result.balanced) == (True, True), result.refused_rows
    billed = [("invoices in EUR", "1000.00"), ("invoices in USD", "250.50")] if states else [("invoices", "2")]
    assert [(one.name, str(one.ledger)) for one in result.controls] == [
        *billed, ("orders in EUR", "1000.00"), ("orders in USD", "250.50"),
    ]  # fmt: skip


def test_another_currency_than_the_one_that_is_asked_for(files: Make, tmp_path: Path, event_store: EventStore) -> None:
    data = files(customers=CUSTOMERS, payments=PAYMENTS)
    result = run_import(write(scaffold(data, "dollars", "EUR"), tmp_path), data, event_store, SystemClock())
    assert [(one.name, str(one.ledger)) for one in result.controls] == [("customers", "2"), ("payments in USD", "1000.00")]
    assert result.balanced


@pytest.mark.parametrize("name", ["order", "table", "group", "select", "file", "id", "amount", "main"])
def test_a_file_may_be_called_like_a_word_of_sql(files: Make, tmp_path: Path, name: str) -> None:
    data = files(**{name: ORDERS.replace("CustomerId", "Customer")})
    mapping = write(scaffold(data, "words"), tmp_path)
    with ExitStack() as stack:
        assert prepare(mapping, data, stack).passes


@pytest.mark.parametrize(
    ("cells", "type", "form", "is_certain"),
    [
        (["1.234,50", "12,00"], "number", "1.234,56", True),
        (["1,234.50", "12.00"], "number", "1,234.56", True),
        (["1.234", "5.678"], "number", "1234.56", False),
        (["$5.00", "$1,000.00"], "number", "1,234.56", True),
        (["13.01.2024"], "date", "%d.%m.%Y", True),
        (["01/02/2024", "03/04/2024"], "date", "%d/%m/%Y", False),
        (["01/13/2024", "03/04/2024"], "date", "%m/%d/%Y", True),
        (["one", "2"], "text", "", True),
    ],
)
def test_what_a_column_holds(files: Make, cells: list[str], type: str, form: str, is_certain: bool) -> None:
    data = files(x="a;b\n" + "".join(f"{cell};{number}\n" for number, cell in enumerate(cells)))
    column = profile(data / "x.csv").columns[0]
    assert (column.type, column.form, not column.doubt) == (type, form, is_certain)


def test_what_is_not_recognised_says_what_is_lacking(files: Make) -> None:
    data = files(notes="what,when\nx,y\n", invoices="No,Total\n1,10.00\n")
    made = scaffold(data, "unknown")
    assert [one.kind for one in made.recognised] == [None, None]
    assert any("no column is a customer" in one for one in made.doubts)
    assert any("nothing says whether" in one for one in made.doubts)


def test_what_a_folder_has_besides_is_told_and_left_out(files: Make, tmp_path: Path) -> None:
    data = files(customers=CUSTOMERS, orders=ORDERS)
    (data / "orders.csv").rename(data / "ORDERS.CSV")
    (data / "notes.txt").touch()
    (data / "lines.parquet").write_bytes(b"PAR1")
    (data / ".hidden").touch()
    made = scaffold(data, "besides")
    assert [one.name for one in made.recognised] == ["orders", "customers"]
    told = [one for one in made.doubts if "left out" in one]
    assert [one.partition(":")[0] for one in told] == ["lines.parquet", "notes.txt"]
    assert "lines.parquet: left out" in (write(made, tmp_path) / "mapping.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["lines.parquet", "LINES.DB", "lines.duckdb", "lines.parquet.gz"])
def test_a_format_that_is_not_looked_at_is_told(files: Make, name: str) -> None:
    (file := files() / name).write_bytes(b"PAR1")
    with pytest.raises(DataUnusable, match="no mapping can be made for a file of this format"):
        scaffold(file, "binary")


def test_a_folder_of_nothing_that_can_be_read_says_of_each_file_why(files: Make) -> None:
    data = files()
    (data / "notes.txt").touch()
    with pytest.raises(DataUnusable, match=r"no file that could be read; notes\.txt: .*left out"):
        scaffold(data, "nothing")


def test_a_heading_is_data(files: Make, tmp_path: Path, event_store: EventStore) -> None:
    """Quotes, line ends and SQL in a heading or a file's name do not get out of it."""
    heading = "Deal \"ID') --\n*/"
    quoted = heading.replace('"', '""')
    data = files(deals=f'"{quoted}",Account,Created,Amount\nD-1,Alpha,2024-01-13,5.00\n')
    (data / "deals.csv").rename(data / 'deals"\n[x].csv')
    mapping = write(scaffold(data, "odd"), tmp_path)
    assert run_import(mapping, data, event_store, SystemClock()).balanced


def test_nothing_that_is_there_is_written_over(files: Make, tmp_path: Path) -> None:
    made = scaffold(files(export=DEALS), "crm")
    write(made, tmp_path)
    with pytest.raises(DataUnusable, match="is there already"):
        write(made, tmp_path)


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="other people's data is not there")
def test_other_peoples_files_are_recognised() -> None:
    found = recognise([profile(SHARED_DATA / "zoho_crm" / f"{name}.csv") for name in ("Leads", "Potentials", "Accounts")])
    assert [one.kind for one in found][0::2] == ["leads", "customers"]
    assert found[0].roles["key"].name == "LEADID"


def test_rows_and_their_commands_side_by_side(files: Make, tmp_path: Path) -> None:
    data = files(export=DEALS)
    mapping = write(scaffold(data / "export.csv", "crm"), tmp_path)
    (data / "export.csv").write_text(DEALS.replace("14.01.2024;14", "14.13.2024;14"), encoding="utf-8")
    shown = preview(mapping, data, rows=3)
    assert [(one.file, one.line) for one in shown][:3] == [("export.csv", 2), ("export.csv", 4), ("export.csv", 3)]
    deal = next(data for one in shown for type, data in one.commands if type == "opportunity.open.v1")
    assert (deal["amount"], shown[0].cells["Amount"]) == ("1250.5", "1.250,50 €")
    assert {(one.line, one.refused[0].code) for one in shown if one.refused} == {(3, "not_a_date")}


def test_a_run_is_shown_and_taken_back(files: Make, tmp_path: Path, event_store: EventStore) -> None:
    data = files(customers=CUSTOMERS, orders=ORDERS, invoices=INVOICES, payments=PAYMENTS)
    result = run_import(write(scaffold(data, "company"), tmp_path), data, event_store, SystemClock())
    head = event_store.head()
    plan = undoing(event_store, result.run)
    assert event_store.head() == head, "it is only shown"
    types = [one["type"].removeprefix("ltc.") for one in plan.commands]
    assert types[0] == "payment.unallocate.v1"
    assert sorted(types) == sorted(["payment.unallocate.v1", *["credit_note.issue.v1"] * 2, *["order.cancel.v1"] * 2])
    assert plan.stays["customer.registered.v1"] == 2
    assert plan.stays["payment.received.v1"] == 1
    done = undo(CommandPipeline(event_store, SystemClock()), plan)
    assert done.refused == []
    assert done.accepted.total() == 5
    head = event_store.head()
    again = undo(CommandPipeline(event_store, SystemClock()), plan)
    assert event_store.head() == head
    assert again.accepted == done.accepted


@pytest.mark.parametrize("run", ["nonsense", "01a22d60-9c76-8bb7-a168-26e0454d7e52"])
def test_a_run_that_nobody_knows_is_told(event_store: EventStore, run: str) -> None:
    with pytest.raises(DataUnusable, match="run"):
        undoing(event_store, run)
