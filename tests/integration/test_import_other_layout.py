"""The mapping language on an export it was not made for: a German ERP's, with one file for all kinds of documents."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ltc_events.application.clock import SystemClock
from ltc_events.importing import Reconciliation, run_import
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Event
from ltc_events.store import EventStore

CUSTOMERS = """\
Kundenstamm;Stand 30.04.2024;;;;
;;;;;
KdNr;Firma;Branche;Telefon;E-Mail;angelegt
10001;Müller & Söhne GmbH;Maschinenbau;+49 221 123456;info@mueller.example;3. März 2024
10002;Bäckerei Öz;Lebensmittel;;kontakt@oez.example;12. Jan 2024
Anzahl;2;;;;
"""
DOCUMENTS = """\
Beleg;Art;Datum;Kunde;Bezug;Gültig bis;Brutto;Text
A-1;Angebot;04.03.2024;10001;;31.03.2024;2.795,91 EUR;
B-1;Auftrag;18.03.2024;10001;A-1;;2.795,91 EUR;
R-1;Rechnung;01.04.2024 00:30;10001;B-1;;2.795,91 EUR;zahlbar in 14 Tagen
Z-1;Zahlung;15.04.2024;10001;R-1;;-2.795,91 EUR;
A-2;Angebot;01.02.2024;10002;;10.02.2024;118,41 EUR;
B-2;Auftrag;05.02.2024;10002;A-2;;118,41 EUR;
R-2;Rechnung;16.02.2024;10002;B-2;;118,42 EUR;
R-3;Rechnung;31.02.2024;10002;B-2;;118,41 EUR;
R-4;Rechnung;07.02.2024;10002;B-9;;118,41 EUR;
Z-2;Zahlung;20.02.2024;10002;;;(50,00 EUR);Anzahlung
X-1;Lieferschein;20.02.2024;10002;B-2;;;
"""
LINES = """\
Beleg|Pos|Artikel|Menge|Rabatt
A-1|10|M-7|2|10
A-1|20|Z/1 #neu|1|
A-2|10|Z/1 #neu|1,000|0
"""
ARTICLES = """\
M-7,"Motor, 7 kW","1250.00"
Z/1 #neu,Zubehör,99.50
"""
MAPPING = """
name = "erp"
currency = "EUR"
timezone = "Europe/Berlin"
delimiter = ";"
actor = "erp import"

[formats]
number = "1.234,56"
strip = ["EUR"]
date = "%d.%m.%Y"
time = ["%d.%m.%Y", "%d.%m.%Y %H:%M"]

[files.customers]
path = "kunden.csv"
encoding = "cp1252"
skip_lines = 2
[files.customers.columns]
number = "KdNr"
name = "Firma"
industry = "Branche"
phone = "Telefon"
email = "E-Mail"
[files.customers.columns.since]
column = "angelegt"
type = "date"
formats = "%d. %B %Y"
months = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"]

[files.documents]
path = "belege.csv"
[files.documents.columns]
number = "Beleg"
kind = "Art"
at = { column = "Datum", type = "time" }
customer_number = "Kunde"
reference = "Bezug"
valid_until = { column = "Gültig bis", type = "date" }
gross = { column = "Brutto", type = "number" }
text = "Text"
[files.documents.values]
customer = "id('customer', customer_number)"
[files.documents.links]
quote = { file = "documents", by = ["number", "kind"], equals = ["reference", "'Angebot'"] }
order = { file = "documents", by = ["number", "kind"], equals = ["reference", "'Auftrag'"] }
invoice = { file = "documents", by = ["number", "kind"], equals = ["reference", "'Rechnung'"], optional = true }
lines = { file = "lines", by = "document", equals = "number", many = true }

[files.lines]
path = "positionen.txt"
delimiter = "|"
short_rows = "pad"
[files.lines.columns]
document = "Beleg"
position_number = { column = "Pos", type = "integer" }
sku = "Artikel"
quantity = { column = "Menge", type = "number" }
discount = { column = "Rabatt", type = "number", default = "0" }
[files.lines.links]
article = { file = "articles", by = "sku", equals = "sku" }

[files.articles]
path = "artikel.csv"
header = false
delimiter = ","
[files.articles.columns]
sku = 1
title = 2
price = { column = 3, type = "number", formats = "1234.56" }

[[steps]]
file = "customers"
skip = [{ when = "not since", reason = "footer" }]
[[steps.emit]]
command = "customer.register"
subject = "id('customer', number)"
time = "since"
[steps.emit.data]
profile = { name = "{name}", industry = "{industry}", phone = "{phone}", email = "{email}" }
references = { erp = "{number}" }

[[steps]]
file = "documents"
customer = "customer"
time = "at"
skip = [{ when = "kind == 'Lieferschein'", reason = "{kind}: not needed" }]

[[steps.emit]]
command = "quote.draft"
when = "kind == 'Angebot'"
subject = "id('quote', number)"
data = { currency = "EUR", valid_until = "{valid_until}", title = "Angebot {number}", references = { erp = "{number}" } }
[[steps.emit]]
command = "quote.price"
when = "kind == 'Angebot'"
subject = "id('quote', number)"
[steps.emit.data]
requested_by = "erp"
role = "sales"
[steps.emit.data.lines]
each = "lines"
[steps.emit.data.lines.item]
line = "{position_number}"
sku = "{code(sku)}"
description = "{article.title}"
quantity = "{quantity}"
list_price = "{article.price}"
tax_category = "S"
tax_rate = "19"
discounts = [{ when = "discount > 0", percent = "{discount}", reason = "Rabatt auf {parent.number}" }]
references = { erp_line = "{parent.number}/{position_number}", erp_sku = "{sku}" }
[[steps.emit]]
command = "quote.send"
when = "kind == 'Angebot'"
subject = "id('quote', number)"

[[steps.emit]]
command = "quote.accept"
when = "kind == 'Auftrag'"
subject = "id('quote', quote.number)"
[[steps.emit]]
command = "order.place"
when = "kind == 'Auftrag'"
subject = "id('order', number)"
data = { quote_id = "{id('quote', quote.number)}", references = { erp = "{number}" } }
[[steps.emit]]
command = "order.report_delivery"
when = "kind == 'Auftrag'"
subject = "id('order', number)"
time = "days_after(at, 7)"
data.delivery_id = "{id('delivery', number)}"

[[steps.emit]]
command = "invoice.issue"
when = "kind == 'Rechnung'"
subject = "id('invoice', number)"
[steps.emit.data]
order_id = "{id('order', order.number)}"
stated_payable = "{gross}"
references = { erp = "{number}", erp_quote = "{order.quote.number}", erp_text = "{text}" }
terms = [{ when = "contains(text, '14 Tagen')", percent = "100", days = 14 }]

[[steps.emit]]
command = "payment.receive"
when = "kind == 'Zahlung'"
subject = "id('payment', number)"
data = { amount = "{-gross}", currency = "EUR", reference = "{reference or text}" }
[[steps.emit]]
command = "payment.allocate"
when = "kind == 'Zahlung' and invoice"
subject = "id('payment', number)"
data.allocations = [{ invoice_id = "{id('invoice', invoice.number)}", amount = "{-gross}" }]

[[controls]]
name = "invoices"
file = "documents"
when = "kind == 'Rechnung'"
sum = "gross"
event = "invoice.issued"
field = "payable"

[[controls]]
name = "payments"
file = "documents"
when = "kind == 'Zahlung'"
sum = "-gross"
event = "payment.received"
field = "amount"
"""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / "kunden.csv").write_bytes(CUSTOMERS.encode("cp1252"))
    (tmp_path / "belege.csv").write_text(DOCUMENTS, encoding="utf-8-sig")
    (tmp_path / "positionen.txt").write_text(LINES, encoding="utf-8")
    (tmp_path / "artikel.csv").write_text(ARTICLES, encoding="utf-8")
    (tmp_path / "erp.toml").write_text(MAPPING, encoding="utf-8")
    return tmp_path


@pytest.fixture
def result(export: Path, event_store: EventStore) -> Reconciliation:
    return run_import(export / "erp.toml", export, event_store, SystemClock())


def events(store: EventStore, kind: str, key: str) -> list[tuple[str, date, Event]]:
    records = store.stream(derive_id("import", "erp", kind, key))
    return [(record.event.type, record.effective_on, record.event) for record in records]


def test_what_can_be_read_becomes_commands(result: Reconciliation) -> None:
    accepted = {type.removesuffix(".v1"): count.accepted for type, count in result.commands.items()}
    assert accepted == {
        "customer.register": 2,
        "quote.draft": 2,
        "quote.price": 2,
        "quote.send": 2,
        "quote.accept": 2,
        "order.place": 2,
        "order.report_delivery": 2,
        "invoice.issue": 1,
        "payment.receive": 2,
        "payment.allocate": 1,
    }
    files = {file.name: file for file in result.files}
    assert files["customers"].skipped == {"footer": 1}
    assert files["documents"].skipped == {"Lieferschein: not needed": 1}
    assert (files["documents"].rows, files["documents"].refused) == (11, 2)
    assert (files["lines"].rows, files["lines"].used, files["articles"].used) == (3, 3, 2)


def test_the_chain_is_exact(result: Reconciliation, event_store: EventStore) -> None:
    (_, _, drafted), (_, _, priced), *_ = events(event_store, "quote", "A-1")
    assert (str(priced.net), str(priced.tax), str(priced.gross)) == ("2349.50", "446.41", "2795.91")  # type: ignore[attr-defined]
    first, second = priced.lines  # type: ignore[attr-defined]
    assert (first.line, first.sku, first.net, first.discounts[0].reason) == (10, "M-7", Decimal("2250.00"), "Rabatt auf A-1")
    assert (second.sku, second.references) == ("Z/1 -neu", {"erp_line": "A-1/20", "erp_sku": "Z/1 #neu"})
    assert drafted.valid_until == date(2024, 3, 31)  # type: ignore[attr-defined]
    invoice = events(event_store, "invoice", "R-1")
    assert [type for type, _, _ in invoice] == ["invoice.issued.v1", "invoice.payment_applied.v1", "invoice.settled.v1"]
    issued = invoice[0][2]
    assert issued.references == {"erp": "R-1", "erp_quote": "A-1", "erp_text": "zahlbar in 14 Tagen"}  # type: ignore[attr-defined]
    assert issued.instalments[0].due_on == date(2024, 4, 15)  # type: ignore[attr-defined]
    prepayment = events(event_store, "payment", "Z-2")
    assert [(type, event.amount) for type, _, event in prepayment] == [("payment.received.v1", 50)]  # type: ignore[attr-defined]


def test_business_days_are_local_days(result: Reconciliation, event_store: EventStore) -> None:
    """Half past midnight in Berlin is the day before in UTC; the invoice is of the day that stands on it."""
    issued = event_store.stream(derive_id("import", "erp", "invoice", "R-1"))[0]
    assert issued.effective_on == date(2024, 4, 1)
    assert issued.occurred_at.isoformat() == "2024-03-31T22:30:00+00:00"
    assert events(event_store, "customer", "10001")[0][1] == date(2024, 3, 3)


def test_what_cannot_be_read_is_listed_with_its_place_and_its_fix(result: Reconciliation) -> None:
    found = {(row.line, row.command): row for row in result.refused_rows}
    assert set(found) == {(8, "invoice.issue.v1"), (9, ""), (10, "")}
    differs = found[8, "invoice.issue.v1"]
    assert (differs.code, differs.value) == ("stated_payable_differs", "118.42")
    assert "118.42" in differs.reason
    assert "118.41" in differs.reason
    assert (found[9, ""].code, found[9, ""].field, found[9, ""].value) == ("not_a_date", "Datum", "31.02.2024")
    assert (found[10, ""].code, found[10, ""].value) == ("missing_link", "B-9, Auftrag")
    assert all(row.file == "belege.csv" and row.fix for row in result.refused_rows)
    assert result.refusals == {"stated_payable_differs": 1, "not_a_date": 1, "missing_link": 1}


def test_control_totals_show_what_was_refused(result: Reconciliation) -> None:
    invoices, payments = result.controls
    assert (invoices.source, invoices.ledger, invoices.difference) == (
        Decimal("3151.15"),
        Decimal("2795.91"),
        Decimal("-355.24"),
    )
    assert (payments.source, payments.ledger, payments.difference) == (Decimal("2845.91"), Decimal("2845.91"), 0)
    assert not result.balanced
