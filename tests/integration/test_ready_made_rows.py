"""Ready-made mappings: rows that exports have beside the plain ones come in exactly, or are refused alone and by name."""

import json
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from ltc_events.application.clock import SystemClock
from ltc_events.importing import Reconciliation, run_import
from ltc_events.importing.exports import exports
from ltc_events.importing.mapping import read_folder
from ltc_events.importing.ready_made import find_ready_made
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.runner import run
from ltc_events.store import Database, EventStore

EXPORTS = Path(__file__).parents[1] / "data" / "ready_made"

ODOO = {
    "Contact (res.partner).csv": [
        '"__export__.res_partner_14","Bo Branch","False","__export__.res_partner_10","","","","","","","",SINCE,SINCE',
    ],
    "Payments (account.payment).csv": [
        # of an invoice that is not in the export, alone and beside one that is
        '"P4","P4","2024-02-14","__export__.res_partner_12","10.0","EUR","Receive","Paid","","__export__.account_move_99"',
        '"P5","P5","2024-02-14","__export__.res_partner_12","20.0","EUR","Receive","Paid","","__export__.account_move_5,__export__.account_move_98"',
        # of no invoice: one that cannot be read beside two that can
        '"P6","P6","2024-02-14","__export__.res_partner_12","ten","EUR","Receive","Paid","",""',
        '"P7","P7","2024-02-15","__export__.res_partner_12","1.0","EUR","Receive","Paid","",""',
        # dated before its invoice
        '"P8","P8","2024-01-30","__export__.res_partner_11","100.0","EUR","Receive","Paid","","__export__.account_move_3"',
    ],
}
ODOO_DISCOUNT = {
    "Sales Order (sale.order).csv": [
        '"S9","S00009","__export__.res_partner_12",SINCE,"","EUR","Sales Order","90.0","90.0","L1","Desk","","1.0","100.0",""',
        '"","","","","","","","","","L2","Discount","","1.0","-10.0",""',
        '"S10","S00010","__export__.res_partner_12",SINCE,"","EUR","Sales Order","5.0","5.0","L3","Pen","","1.0","5.0",""',
    ],
}
STRIPE_CREDIT = {
    "invoices.csv": ["in_7,-20.00,0.00,true,usd,cus_A1,2024-02-07 10:00,,OWL-0007,true,,-20.00,0.00,,0.00,,-20.00,paid"],
}
STRIPE = {
    "invoices.csv": ["in_6,108.88,0.00,true,usd,cus_A1,2024-02-07 10:00,,OWL-0006,true,,100.00,0.00,,8.88,,108.88,open"],
    "unified_payments.csv": [
        "ch_7,2024-02-10 11:00:00,10.00,0.00,usd,true,10.00,0.00,usd,,0.10,,Paid,cus_B2,,in_99",
        "ch_8,2024-02-10 11:00:01,1.2.3,0.00,usd,true,1.00,0.00,usd,,0.10,,Paid,cus_B2,,",
        "ch_9,2024-02-10 11:00:02,5.00,0.00,usd,true,5.00,0.00,usd,,0.10,,Blocked,cus_B2,,",
        "ch_10,2024-02-10 11:00:03,5.00,0.00,usd,true,5.00,0.00,usd,,0.10,,Expired,cus_B2,,",
        "ch_11,2024-02-10 11:00:04,7.00,0.00,usd,true,7.00,0.00,usd,,0.10,,Paid,cus_B2,,",
    ],
}
SALESFORCE = {
    "Lead.csv": [
        # of a status that is a standard one, and of one that is not, but converted
        '"00Q000000000E","Lund","","Lu","","","Web","Working","","","0","","","","",SINCE,SINCE',
        '"00Q000000000F","Li","","Li","","","","Sold","","","1","2024-02-06","001000000000A","","",SINCE,SINCE',
    ],
    "Opportunity.csv": [
        '"006000000000F","001000000000A","Mill","Prospecting","1.23456789E7","9.0","2024-06-30","","0","0","",SINCE,SINCE',
    ],
}


def longer(name: str, more: Mapping[str, list[str]], folder: Path) -> Path:
    """February's export with more rows."""
    shutil.copytree(EXPORTS / name / "february", folder)
    for file, rows in more.items():
        with (folder / file).open("a", encoding="utf-8") as text:
            text.writelines(row.replace("SINCE", '"2024-02-06 12:00:00"') + "\n" for row in rows)
    return folder


def imported(name: str, data: Path, store: EventStore) -> Reconciliation:
    mapping = data.parent / "mapping"
    find_ready_made(name).write(mapping)
    return run_import(mapping, data, store, SystemClock())


def counts(result: Reconciliation, *types: str) -> list[int]:
    return [count.accepted for want in types for type, count in result.commands.items() if type.startswith(want + ".")]


def refused(result: Reconciliation) -> list[tuple[str, str]]:
    return [(row.value or row.reason.rpartition(": ")[2], row.code) for row in result.refused_rows]


def outstanding(database: Database) -> dict[str, Decimal]:
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    found = run(database, "receivables-aging", as_of="2024-02-29").totals["outstanding"]
    assert isinstance(found, dict)
    return found


def test_payments_of_odoo(database: Database, event_store: EventStore, tmp_path: Path) -> None:
    result = imported("odoo", longer("odoo", ODOO, tmp_path / "data"), event_store)
    assert refused(result) == [
        ("__export__.account_move_99", "refused_by_mapping"),
        ("__export__.account_move_98", "refused_by_mapping"),
        ("ten", "not_a_number"),
    ]
    assert counts(result, "customer.add_contact", "payment.receive", "payment.allocate") == [2, 4, 3]
    assert outstanding(database) == {"EUR": Decimal("256.00")}  # 357.00 less 100.00 paid, less 1.00 not applied


def test_two_months_of_odoo_in_one_folder(database: Database, event_store: EventStore, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for month in ("january", "february"):
        for path in (EXPORTS / "odoo" / month).iterdir():
            shutil.copy(path, tmp_path / "data" / f"{path.stem} {'2024-01' if month == 'january' else '2024-02'}.csv")
    result = imported("odoo", tmp_path / "data", event_store)
    assert (refused(result), result.balanced) == ([], True)
    assert counts(result, "order.place", "invoice.issue", "credit_note.issue") == [3, 4, 1]
    assert outstanding(database) == {"EUR": Decimal("357.00")}


@pytest.mark.parametrize(
    ("name", "files", "starred"),
    [
        ("odoo", ("res.partner", "crm.lead", "sale.order", "account.move", "account.payment"), ""),
        ("hubspot", tuple(f"hubspot-crm-exports-all-{one}" for one in ("companies", "contacts", "deals")), ""),
        ("stripe", ("customers", "invoices", "unified_payments", "balance_change"), "balance_change*.csv"),
    ],
)
def test_exports_are_watched_when_named_by_date(tmp_path: Path, name: str, files: tuple[str, ...], starred: str) -> None:
    for file in files:
        for month in ("2024-01", "2024-02"):
            (tmp_path / f"{file}-{month}.csv").touch()
    find_ready_made(name).write(tmp_path / "mapping")
    if starred:
        path = tmp_path / "mapping" / "mapping.toml"
        path.write_text(path.read_text(encoding="utf-8").replace(f'"*{starred}"', f'"{starred}"'), encoding="utf-8")
    folder, _ = read_folder(tmp_path / "mapping")
    assert folder is not None
    found = exports(folder.mapping, tmp_path)
    assert [(one.key[-7:], len(one.files), one.missing) for one in found] == [
        ("2024-01", len(files), []),
        ("2024-02", len(files), []),
    ]


@pytest.mark.parametrize(("name", "more", "orders"), [("odoo", ODOO_DISCOUNT, 4), ("stripe", STRIPE_CREDIT, 5)])
def test_negative_lines_refuse_their_document_alone(
    event_store: EventStore, tmp_path: Path, name: str, more: Mapping[str, list[str]], orders: int
) -> None:
    result = imported(name, longer(name, more, tmp_path / "data"), event_store)
    assert {row.field.rpartition(".")[2] for row in result.refused_rows if row.command.startswith("order.place")} == {
        "unit_price"
    }
    assert counts(result, "order.place") == [orders]


def test_taxes_and_payments_of_stripe(event_store: EventStore, tmp_path: Path) -> None:
    result = imported("stripe", longer("stripe", STRIPE, tmp_path / "data"), event_store)
    assert set(refused(result)) == {("in_99", "refused_by_mapping"), ("1.2.3", "not_a_number")}
    assert counts(result, "payment.receive") == [6]
    assert {one.name: str(one.ledger) for one in result.controls}["invoices"] == "1577.68"


def test_conversions_and_amounts_of_salesforce(event_store: EventStore, tmp_path: Path) -> None:
    result = imported("salesforce", longer("salesforce", SALESFORCE, tmp_path / "data"), event_store)
    assert (refused(result), result.balanced) == ([], True)
    assert {one.name: str(one.ledger) for one in result.controls}["deals"] == "12367678.90"
    assert counts(result, "lead.capture", "lead.disqualify") == [6, 3]


@pytest.mark.parametrize(
    ("net", "grand", "rounded"), [("100.0", "119.0", "119.0"), ("10.11", "12.03", "12.05"), ("9.0", "10.71", "10.5")]
)
def test_rounded_totals_of_erpnext(event_store: EventStore, tmp_path: Path, net: str, grand: str, rounded: str) -> None:
    data = longer("erpnext", {}, tmp_path / "data")
    invoices = json.loads((data / "Sales Invoice.json").read_text(encoding="utf-8"), parse_float=Decimal)
    item = {"name": "si9-1", "idx": 1, "item_code": "ADVICE", "item_name": "Advice", "qty": 1, "net_amount": net}
    own = {"name": "ACC-SINV-2024-00009", "grand_total": grand, "rounded_total": rounded, "items": [item]}
    own |= {"posting_date": "2024-02-20", "due_date": "2024-02-20"}
    (data / "Sales Invoice.json").write_text(json.dumps([*invoices, {**invoices[1], **own}], default=str), encoding="utf-8")
    payments = json.loads((data / "Payment Entry.json").read_text(encoding="utf-8"))
    paid = {"reference_doctype": "Sales Invoice", "reference_name": "ACC-SINV-2024-00009", "allocated_amount": 1}
    early = {**payments[0], "name": "ACC-PAY-2024-00009", "posting_date": "2024-02-01", "references": [paid]}
    (data / "Payment Entry.json").write_text(json.dumps([*payments, early]), encoding="utf-8")
    result = imported("erpnext", data, event_store)
    assert (refused(result), result.balanced) == ([], True)
    assert {one.name: one.ledger for one in result.controls}["sales invoices"] == Decimal("1527.50") + Decimal(rounded)
    assert counts(result, "payment.allocate") == [3]
