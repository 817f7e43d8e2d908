"""Whatever is wrong with a row, it is refused with its place, its value and what to do; the rows around it are imported."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.mappings import write_mapping

from ltc_events.application.clock import SystemClock
from ltc_events.importing import Reconciliation, RefusedRow, run_import
from ltc_events.store import EventStore

MAPPING = """
name = "till"
currency = "EUR"

[sources.sales]
path = "sales.csv"

[sources.shops]
path = "shops.csv"
key = "name"

[maps.paid_by]
cash = "cash"
card = "card"
"?" = "unknown"
"*" = "*"

[maps.currencies]
"€" = "EUR"
"$" = "USD"
"-" = "EUR"
"" = "EUR"

# A till knows its shops and keeps no customers: each shop stands for whoever pays there.
[[policies]]
kind = "require_registered_customer"
time = 2020-01-01
content = { mode = "stub" }

[[controls]]
name = "cash"
rows = "sales"
sum = "amount - rebate"
when = "paid_by = 'cash'"
event = "payment.received"
field = "amount"
where = { method = "cash" }
"""
SALES = """
SELECT ltc_needed(number) AS number, shop, ltc_date(sold, '%d-%m-%Y', '%m-%d-%Y') AS sold,
  ltc_amount(amount, '1,234.56') AS amount, coalesce(ltc_amount(rebate, '1,234.56'), 0) AS rebate,
  ltc_word('paid_by', "paid by") AS paid_by, ltc_word('currencies', currency) AS currency,
  coalesce(ltc_boolean(open), false) AS open
FROM sales
"""
SHOP = """
SELECT name, ltc_date(opened, '%d-%m-%Y') AS opened FROM shops
"""
RECEIVE = """
rows = "sales"
command = "payment.receive"

SELECT ltc_id('payment', number) AS subject, ltc_id('customer', shops.name) AS customer, greatest(sold, opened) AS time,
  CASE WHEN open THEN 'not closed yet' END AS skip, amount - rebate AS amount, currency, paid_by AS method
FROM sales LEFT JOIN shops ON shops.name = shop
"""
CHECK = """
rows = "sales"

SELECT
  ltc_refuse(rebate > amount, 'rebate ' || ltc_round(rebate, 2) || ' is more than ' || ltc_round(amount, 2), 'ask ' || shop) AS a,
  ltc_needed(shops.name, 'no row of shops.csv has name = ' || shop) AS b
FROM sales LEFT JOIN shops ON shops.name = shop
"""
SHOPS = """\
name,opened
North,31-01-2020
South,31-01-2020
South,31-02-2020
East,2020
"""
HEADER = "number,shop,sold,amount,rebate,paid by,currency,open"


def import_rows(folder: Path, store: EventStore, *rows: str) -> Reconciliation:
    (folder / "shops.csv").write_text(SHOPS, encoding="utf-8")
    (folder / "sales.csv").write_bytes("\n".join((HEADER, *rows, "")).encode("utf-8", "surrogateescape"))
    parts = {"tables_sales": SALES, "tables_shops": SHOP, "steps_1_check": CHECK, "steps_2_receive": RECEIVE}
    return run_import(write_mapping(folder / "till", MAPPING, **parts), folder, store, SystemClock())


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("2,North,31-12-2023,1.50,,cash,", ("wrong_width", "", "", "7 fields where the header has 8", "correct the row")),
        ("2,North,31-12-2023,1,50,,cash,,", ("wrong_width", "", "", "9 fields where the header has 8", "unquoted")),
        ('2,North,31-12-2023,"1"50",,cash,,', ("not_csv", "", "", "this is not CSV", "close the quotes")),
        ("2,North\udcff,31-12-2023,1.50,,cash,,", ("not_decodable", "", "", "bytes ff are no utf-8", "encoding")),
        (",North,31-12-2023,1.50,,cash,,", ("empty_value", "number", "", "number is empty", "fill it")),
        ("2,North,31-12-2023,ten,,cash,,", ("not_a_number", "amount", "ten", "'ten' is not a number", "1,234.56")),
        ("2,North,31-12-2023,12.34.5,,cash,,", ("not_a_number", "amount", "12.34.5", "is not a number", "1,234.56")),
        ("2,North,31-12-2023,,,cash,,", ("empty_value", "amount", "", "amount of payment.receive.v1 is empty", "coalesce")),
        ("2,North,03-04-2023,1.50,,cash,,", ("ambiguous_date", "sold", "03-04-2023", "more than one way", "leave one form")),
        ("2,North,30-02-2023,1.50,,cash,,", ("not_a_date", "sold", "30-02-2023", "%d-%m-%Y or %m-%d-%Y", "add its form")),
        ("2,West,31-12-2023,1.50,,cash,,", ("missing_row", "", "", "no row of shops.csv has name = West", "correct the key")),
        ("2,South,31-12-2023,1.50,,cash,,", ("duplicate_key", "name", "South", "more than one row (in shops.csv", "leave one")),
        ("2,East,31-12-2023,1.50,,cash,,", ("not_a_date", "opened", "2020", "(in shops.csv, line 5)", "correct it")),
        (
            "2,North,31-12-2023,1.50,,cash,£,",
            ("unmapped_value", "currency", "£", "'£' is not in maps.currencies", "for all others"),
        ),
        ("2,North,31-12-2023,1.50,,cash,,perhaps", ("not_a_boolean", "open", "perhaps", "neither yes nor no", "true, yes")),
        ("2,North,31-12-2023,1.50,2.00,cash,,", ("refused_by_mapping", "", "", "rebate 2.00 is more than 1.50", "ask North")),
    ],
)
def test_a_row_is_refused(tmp_path: Path, event_store: EventStore, row: str, expected: tuple[str, str, str, str, str]) -> None:
    result = import_rows(tmp_path, event_store, "1,North,31-12-2023,1.00,,cash,,", row, "3,North,31-12-2023,4.00,0.50,cash,-,no")
    refused = result.refused_rows[0]
    code, field, value, reason, fix = expected
    assert refused[:3] == ("sales.csv", 3, "")
    assert (refused.code, refused.field, refused.value) == (code, field, value)
    assert reason in refused.reason
    assert fix in refused.fix
    assert {one.line for one in result.refused_rows} == {3}
    assert result.commands["payment.receive.v1"].accepted == 2
    assert result.files[0].refused == 1
    assert result.controls[0].ledger == Decimal("4.50")


def test_a_refusal_of_the_ledger_is_listed_the_same_way(tmp_path: Path, event_store: EventStore) -> None:
    result = import_rows(tmp_path, event_store, "1,North,31-12-2023,-1.00,-7,cash,,", "2,North,31-12-2023,0.00,0,cash,,")
    assert result.refused_rows == [
        RefusedRow(
            file="sales.csv",
            line=3,
            command="payment.receive.v1",
            code="out_of_range",
            field="amount",
            value="0",
            reason="amount: Input should be greater than 0",
            fix="give more than 0",
        )
    ]
    assert result.controls[0].difference == 0, "nothing of nothing is missing"


def test_a_word_that_is_none_of_a_closed_list_is_told_with_the_nearest(tmp_path: Path, event_store: EventStore) -> None:
    """Of a map of the mapping, and of a field of a command."""
    capture = """
rows = "sales"
command = "lead.capture"

SELECT ltc_id('lead', number) AS subject, ltc_id('customer', shop) AS customer, sold AS time, shop AS company,
  'Ada' AS contact_name, paid_by AS channel
FROM sales
"""
    toml = MAPPING.replace('"$" = "USD"', '"Euro" = "EUR"\n"$" = "USD"')
    (tmp_path / "shops.csv").write_text(SHOPS, encoding="utf-8")
    rows = [
        "1,North,31-12-2023,1.00,,Exhibtion,€,",
        "2,North,31-12-2023,1.00,,cash,euro,",
        "3,North,31-12-2023,1.00,,exhibtion,€,",
    ]
    (tmp_path / "sales.csv").write_text("\n".join((HEADER, *rows, "")), encoding="utf-8")
    parts = {"tables_sales": SALES, "tables_shops": SHOP, "steps_1_capture": capture, "steps_2_receive": RECEIVE}
    result = run_import(write_mapping(tmp_path / "till", toml, **parts), tmp_path, event_store, SystemClock())
    told = {(one.code, one.value): one.nearest for one in result.causes if one.value}
    assert told == {
        ("unknown_value", "Exhibtion"): "exhibition",
        ("unknown_value", "exhibtion"): "exhibition",
        ("unmapped_value", "euro"): "Euro",
    }
    assert all(f"did you mean {one.nearest}?" in one.fix for one in result.refused_rows if one.nearest)


def test_other_currencies_are_not_added_up(tmp_path: Path, event_store: EventStore) -> None:
    result = import_rows(tmp_path, event_store, "1,North,31-12-2023,1.00,,cash,€,", "2,North,31-12-2023,2.00,,cash,$,")
    (cash,) = result.controls
    assert (cash.source, cash.ledger, cash.other_currency) == (Decimal("3.00"), Decimal("1.00"), 1)


def test_values_are_mapped_kept_or_taken_for_empty(tmp_path: Path, event_store: EventStore) -> None:
    result = import_rows(
        tmp_path,
        event_store,
        "1,North,31-12-2023,1.00,,?,€,",
        "2,North,31-12-2023,1.00,,voucher,-,N",
        "3,North,31-12-2023,1.00,,,,YES",
    )
    assert result.refused == 0
    assert result.files[0].skipped == {"not closed yet": 1}
    methods = [record.event.method for record in event_store.read(0, 10, types=["payment.received.v1"])]  # type: ignore[attr-defined]
    assert methods == ["unknown", "voucher"]
