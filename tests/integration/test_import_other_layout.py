"""Mappings in SQL on an export they were not made for: a German ERP's, with one file for all kinds of documents."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.mappings import write_mapping

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
actor = "erp import"

[sources.customers]
path = "kunden.csv"
encoding = "cp1252"
skip_lines = 2

[sources.documents]
path = "belege.csv"

[sources.lines]
path = "positionen.txt"
delimiter = "|"
short_rows = "pad"

[sources.articles]
path = "artikel.csv"
columns = ["sku", "title", "price"]

[maps.month]
Januar = "01"
Jan = "01"
"März" = "03"

[[controls]]
name = "invoices"
rows = "documents"
when = "kind = 'Rechnung'"
sum = "gross"
event = "invoice.issued"
field = "payable"

[[controls]]
name = "payments"
rows = "documents"
when = "kind = 'Zahlung'"
sum = "-gross"
event = "payment.received"
field = "amount"
"""
PARTS = {
    "tables_customers": """
SELECT KdNr AS number, Firma AS name, Branche AS industry, Telefon AS phone, "E-Mail" AS email,
  ltc_date(split_part(angelegt, ' ', 1) || ltc_word('month', split_part(angelegt, ' ', 2)) || split_part(angelegt, ' ', 3),
    '%d.%m%Y') AS since
FROM customers
""",
    "tables_documents": """
SELECT Beleg AS number, Art AS kind, ltc_time(Datum, '%d.%m.%Y', '%d.%m.%Y %H:%M') AS moment,
  ltc_id('customer', Kunde) AS customer,
  Bezug AS reference, ltc_date("Gültig bis", '%d.%m.%Y') AS valid_until, ltc_amount(Brutto, '1.234,56', 'EUR') AS gross,
  Text AS text
FROM documents
""",
    "tables_lines": """
SELECT Beleg AS document, list({
  'line': ltc_integer(Pos), 'sku': ltc_code(Artikel), 'description': title, 'quantity': ltc_amount(Menge, '1.234,56'),
  'list_price': ltc_amount(price, '1234.56'), 'tax_category': 'S', 'tax_rate': 19,
  'discounts': CASE WHEN ltc_amount(Rabatt, '1.234,56') > 0 THEN
    [{'percent': ltc_amount(Rabatt, '1.234,56'), 'reason': 'Rabatt auf ' || Beleg}] END,
  'references': {'erp_line': Beleg || '/' || Pos, 'erp_sku': Artikel}
} ORDER BY lines._row) AS lines
FROM lines JOIN articles ON articles.sku = Artikel GROUP BY Beleg
""",
    "steps_10_customers": """
rows = "customers"
command = "customer.register"

SELECT ltc_id('customer', number) AS subject, since AS time, CASE WHEN since IS NULL THEN 'footer' END AS skip,
  {'name': name, 'industry': industry, 'phone': phone, 'email': email} AS profile, {'erp': number} AS "references"
FROM customers
""",
    "steps_20_draft": """
rows = "documents"
command = "quote.draft"

SELECT ltc_id('quote', number) AS subject, customer, moment AS time, 'EUR' AS currency, valid_until,
  'Angebot ' || number AS title,
  {'erp': number} AS "references"
FROM documents WHERE kind = 'Angebot'
""",
    "steps_21_price": """
rows = "documents"
command = "quote.price"

SELECT ltc_id('quote', number) AS subject, customer, moment AS time, 'erp' AS requested_by, 'sales' AS role, lines
FROM documents LEFT JOIN lines ON document = number WHERE kind = 'Angebot'
""",
    "steps_22_send": """
rows = "documents"
command = "quote.send"

SELECT ltc_id('quote', number) AS subject, customer, moment AS time FROM documents WHERE kind = 'Angebot'
""",
    "steps_30_accept": """
rows = "documents"
command = "quote.accept"

SELECT ltc_id('quote', reference) AS subject, customer, moment AS time FROM documents WHERE kind = 'Auftrag'
""",
    "steps_31_place": """
rows = "documents"
command = "order.place"

SELECT ltc_id('order', number) AS subject, customer, moment AS time, ltc_id('quote', reference) AS quote_id,
  {'erp': number} AS "references"
FROM documents WHERE kind = 'Auftrag'
""",
    "steps_32_deliver": """
rows = "documents"
command = "order.report_delivery"

SELECT ltc_id('order', number) AS subject, customer, moment + INTERVAL 7 DAY AS time, ltc_id('delivery', number) AS delivery_id
FROM documents WHERE kind = 'Auftrag'
""",
    "steps_40_bill": """
rows = "documents"
command = "invoice.issue"

SELECT ltc_id('invoice', d.number) AS subject, d.customer, d.moment AS time,
  ltc_id('order', ltc_needed(o.number, 'no order ' || d.reference)) AS order_id, d.gross AS stated_payable,
  {'erp': d.number, 'erp_quote': o.reference, 'erp_text': d.text} AS "references",
  CASE WHEN contains(d.text, '14 Tagen') THEN [{'percent': 100, 'days': 14}] END AS terms
FROM documents AS d LEFT JOIN documents AS o ON o.number = d.reference AND o.kind = 'Auftrag' WHERE d.kind = 'Rechnung'
""",
    "steps_50_receive": """
rows = "documents"
command = "payment.receive"

SELECT ltc_id('payment', number) AS subject, customer, moment AS time, -gross AS amount, 'EUR' AS currency,
  coalesce(reference, text) AS reference
FROM documents WHERE kind = 'Zahlung'
""",
    "steps_51_allocate": """
rows = "documents"
command = "payment.allocate"

SELECT ltc_id('payment', d.number) AS subject, d.customer, d.moment AS time,
  [{'invoice_id': ltc_id('invoice', i.number), 'amount': -d.gross}] AS allocations
FROM documents AS d JOIN documents AS i ON i.number = d.reference AND i.kind = 'Rechnung' WHERE d.kind = 'Zahlung'
""",
    "steps_60_rest": """
rows = "documents"
command = "payment.receive"

SELECT ltc_id('payment', number) AS subject, customer, moment AS time, kind || ': not needed' AS skip,
  gross AS amount, 'EUR' AS currency
FROM documents WHERE kind = 'Lieferschein'
""",
}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / "kunden.csv").write_bytes(CUSTOMERS.encode("cp1252"))
    (tmp_path / "belege.csv").write_text(DOCUMENTS, encoding="utf-8-sig")
    (tmp_path / "positionen.txt").write_text(LINES, encoding="utf-8")
    (tmp_path / "artikel.csv").write_text(ARTICLES, encoding="utf-8")
    write_mapping(tmp_path / "erp", MAPPING, **PARTS)
    return tmp_path


@pytest.fixture
def result(export: Path, event_store: EventStore) -> Reconciliation:
    return run_import(export / "erp", export, event_store, SystemClock())


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
    assert (files["lines"].rows, files["lines"].refused, files["articles"].rows) == (3, 0, 2)


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
    assert (found[10, ""].code, found[10, ""].reason) == ("missing_row", "no order B-9")
    assert all(row.file == "belege.csv" and row.fix for row in result.refused_rows)
    assert result.refusals == {"stated_payable_differs": 1, "not_a_date": 1, "missing_row": 1}


def test_control_totals_show_what_was_refused(result: Reconciliation) -> None:
    invoices, payments = result.controls
    assert (invoices.source, invoices.ledger, invoices.difference) == (
        Decimal("3151.15"),
        Decimal("2795.91"),
        Decimal("-355.24"),
    )
    assert (payments.source, payments.ledger, payments.difference) == (Decimal("2845.91"), Decimal("2845.91"), 0)
    assert not result.balanced
