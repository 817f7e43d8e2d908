"""Ready-made mappings: an export of each product comes in with its totals, twice changes nothing, the next month follows.

The files in tests/data/ready_made have the columns that each product documents; their rows are invented.
"""

import csv
import shutil
from collections import Counter
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.ties import untied

from ltc_events.application.clock import SystemClock
from ltc_events.importing import Reconciliation, run_import
from ltc_events.importing.plan import prepare
from ltc_events.importing.ready_made import find_ready_made, ready_made
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.querying.workbook import write_workbook
from ltc_events.reports.base import Column, ColumnType
from ltc_events.reports.runner import run
from ltc_events.store import Database, EventStore

EXPORTS = Path(__file__).parents[1] / "data" / "ready_made"
AMOUNTS = {"预计金额", "合同金额", "开票金额", "回款金额"}


class Expected(NamedTuple):
    """Control totals of January and February, what February's changes were, and what reports say at its end."""

    january: dict[str, str]
    february: dict[str, str]
    changes: dict[str, int]
    vanished: list[str]
    reports: dict[str, dict[str, Any]]


KNOWN = {
    "salesforce": Expected(
        {"accounts": "2", "leads": "4", "leads converted into a deal": "1", "deals": "17800.50", "deals won": "800.00"},
        {"accounts": "3", "leads": "4", "leads converted into a deal": "2", "deals": "22000.00", "deals won": "12300.00"},
        {
            "customer.register": 1, "customer.update_profile": 1, "lead.qualify": 1, "lead.convert": 1, "lead.disqualify": 1,
            "opportunity.open": 1, "opportunity.change_amount": 2, "opportunity.change_close_date": 2,
            "opportunity.advance_stage": 2, "opportunity.win": 1, "opportunity.lose": 1,
        },
        [],
        {
            "pipeline": {"opportunities": 2, "amount": {"USD": Decimal(9000)}},
            "loss-reasons": {"lost": 1, "amount": {"USD": Decimal(700)}},
        },
    ),
    "hubspot": Expected(
        {"companies": "2", "deals": "9350.50", "deals won": "450.50"},
        {"companies": "3", "deals": "50900.00", "deals won": "0.00"},
        {
            "customer.register": 1, "customer.update_profile": 1, "opportunity.open": 1, "opportunity.change_amount": 1,
            "opportunity.change_close_date": 2, "opportunity.advance_stage": 2, "opportunity.lose": 1,
        },
        ["Grinder"],
        {
            "pipeline": {"opportunities": 2, "amount": {"EUR": Decimal(42000)}},
            "loss-reasons": {"lost": 1, "amount": {"EUR": Decimal(8900)}},
        },
    ),
    "odoo": Expected(
        {
            "customers": "2", "opportunities": "5690.00", "orders, untaxed": "1080.00", "invoices": "1178.10",
            "credit notes": "0.00", "payments": "1000.00",
        },
        {
            "customers": "3", "opportunities": "7690.00", "orders, untaxed": "1300.00", "invoices": "1594.60",
            "credit notes": "47.60", "payments": "1190.00",
        },
        {
            "customer.register": 1, "customer.update_profile": 1, "opportunity.open": 1, "opportunity.advance_stage": 1,
            "opportunity.lose": 1, "order.place": 1, "invoice.issue": 2, "payment.receive": 1, "payment.allocate": 1,
            "credit_note.issue": 1,
        },
        ["__export__.sale_order_3, S00003"],
        {"receivables-aging": {"outstanding": {"EUR": Decimal("357.00")}}},
    ),
    "erpnext": Expected(
        {
            "customers": "2", "opportunities": "34000.00", "sales orders, net": "405.00", "sales invoices": "397.00",
            "returns": "0.00", "payments": "159.00",
        },
        {
            "customers": "3", "opportunities": "36000.00", "sales orders, net": "1150.00", "sales invoices": "1527.50",
            "returns": "188.75", "payments": "659.00",
        },
        {
            "customer.register": 1, "customer.update_profile": 1, "lead.disqualify": 1, "opportunity.change_amount": 1,
            "opportunity.change_close_date": 1, "opportunity.advance_stage": 1, "opportunity.win": 1, "order.place": 1,
            "invoice.issue": 2, "payment.receive": 1, "payment.allocate": 1, "credit_note.issue": 2,
        },
        ["SAL-ORD-2024-00003"],
        {"receivables-aging": {"outstanding": {"EUR": Decimal("679.75")}}},
    ),
    "stripe": Expected(
        {
            "invoices": "1368.80", "payments": "143.80", "refunds of invoices": "0.00",
            "refunds of payments without an invoice": "0.00",
        },
        {
            "invoices": "1468.80", "payments": "1373.80", "refunds of invoices": "84.00",
            "refunds of payments without an invoice": "25.00",
        },
        {
            "customer.register": 1, "customer.update_profile": 1, "order.place": 2, "invoice.issue": 2, "credit_note.issue": 3,
            "payment.receive": 3, "payment.allocate": 3, "credit_note.refund": 2, "payment.refund": 1, "invoice.write_off": 1,
        },
        [],
        {"receivables-aging": {"outstanding": {}}},
    ),
    "jiandaoyun": Expected(
        {"客户": "2", "商机": "170000.50", "合同": "3000.00", "开票": "1000.33", "回款": "500.33"},
        {"客户": "3", "商机": "248000.50", "合同": "121000.00", "开票": "62000.00", "回款": "21000.33"},
        {
            "customer.register": 1, "customer.update_profile": 1, "opportunity.open": 1, "opportunity.change_amount": 1,
            "opportunity.change_close_date": 1, "opportunity.advance_stage": 1, "opportunity.win": 1, "opportunity.lose": 1,
            "order.place": 1, "invoice.issue": 2, "payment.receive": 2, "payment.allocate": 1,
        },
        [],
        {"receivables-aging": {"outstanding": {"CNY": Decimal("40999.67")}}},
    ),
}  # fmt: skip


def export(name: str, month: str, tmp_path: Path) -> Path:
    """The files of a month as the product writes them: Jiandaoyun writes workbooks, whose rows stand in CSV here."""
    folder = EXPORTS / name / month
    if name != "jiandaoyun":
        return folder
    (tmp_path / month).mkdir()
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        columns = [Column(one, ColumnType.DECIMAL if one in AMOUNTS else ColumnType.TEXT, one) for one in header]
        cells = [
            tuple(Decimal(cell) if cell and one in AMOUNTS else cell or None for one, cell in zip(header, row, strict=True))
            for row in rows
        ]
        write_workbook(path.stem, columns, cells, tmp_path / month / f"{path.stem}.xlsx")
    return tmp_path / month


def controls(result: Reconciliation) -> dict[str, str]:
    assert [(one.name, str(one.source)) for one in result.controls] == [(one.name, str(one.ledger)) for one in result.controls]
    return {one.name: str(one.ledger) for one in result.controls}


def accepted(result: Reconciliation) -> Counter[str]:
    counts = {type.rpartition(".")[0]: count.accepted for type, count in result.commands.items()}
    return +Counter(counts)


def test_every_mapping_that_is_shipped_is_known_here() -> None:
    assert [one.name for one in ready_made()] == sorted(KNOWN)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_two_months_of_an_export(name: str, database: Database, event_store: EventStore, tmp_path: Path) -> None:
    known = KNOWN[name]
    mapping = tmp_path / "mapping"
    find_ready_made(name).write(mapping)
    january, february = (export(name, month, tmp_path) for month in ("january", "february"))

    def month(data: Path) -> Reconciliation:
        result = run_import(mapping, data, event_store, SystemClock())
        assert result.refused_rows == []
        assert (result.complete, result.balanced) == (True, True)
        return result

    first = month(january)
    assert controls(first) == known.january
    head = event_store.head()
    assert (controls(month(january)), event_store.head()) == (known.january, head)
    second = month(february)
    assert controls(second) == known.february
    assert accepted(second) == known.changes
    assert [one.name for one in second.vanished] == known.vanished
    head = event_store.head()
    assert (controls(month(february)), event_store.head()) == (known.february, head)
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    for report, totals in known.reports.items():
        found = run(database, report, as_of="2024-02-29").totals
        assert {one: found.get(one) for one in totals} == totals, found
    assert untied(database, [date(2024, 1, 31), date.max], [None]) == []


@pytest.mark.parametrize("name", ["odoo", "salesforce"])
def test_an_export_of_the_second_month_alone_comes_in_as_well(name: str, event_store: EventStore, tmp_path: Path) -> None:
    data = export(name, "february", tmp_path)
    find_ready_made(name).write(tmp_path / "mapping")
    rehearsed = run_import(tmp_path / "mapping", data, event_store, SystemClock(), dry_run=True)
    result = run_import(tmp_path / "mapping", data, event_store, SystemClock())
    assert (controls(result), accepted(result)) == (controls(rehearsed), accepted(rehearsed))
    assert result.refused_rows == []
    assert controls(result) == KNOWN[name].february


@pytest.mark.parametrize("name", sorted(KNOWN.keys() - {"jiandaoyun"}))
def test_files_may_have_their_headings_alone(name: str, tmp_path: Path) -> None:
    for path in (EXPORTS / name / "january").iterdir():
        text = path.read_text(encoding="utf-8")
        alone = "[]" if path.suffix == ".json" else text.partition("\n")[0] + "\n"
        (tmp_path / path.name).write_text(alone, encoding="utf-8")
    find_ready_made(name).write(tmp_path / "mapping")
    with ExitStack() as stack:
        assert prepare(tmp_path / "mapping", tmp_path, stack).passes


def test_what_is_missing_of_the_files_is_told(tmp_path: Path) -> None:
    shutil.copytree(EXPORTS / "odoo" / "january", tmp_path / "data")
    found = find_ready_made("odoo")
    assert found.missing(tmp_path / "data") == []
    (tmp_path / "data" / "Journal Entry (account.move).csv").unlink()
    assert found.missing(tmp_path / "data") == ["*account.move*.csv"]
