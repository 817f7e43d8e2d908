"""Functions of mappings: what a cell says for certain is read exactly; all else is refused."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError
from tests.unit.import_queries import Bench, bench

from ltc_events.importing.documents import as_json
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.checked import email_address


@pytest.fixture(scope="module")
def sql() -> Iterator[Bench]:
    with bench() as made:
        yield made


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@pytest.mark.parametrize(
    ("form", "cell", "number"),
    [
        ("1234.56", "0", "0"),
        ("1234.56", "22.5", "22.5"),
        ("1,234.56", "89,066,200.00", "89066200.00"),
        ("1,234.56", "1234.5", "1234.5"),
        ("1.234,56", "1.234.567,89", "1234567.89"),
        ("1 234,56", "1 234,56", "1234.56"),
        ("1'234.56", "12'345.05", "12345.05"),
        ("1,234", "1,234", "1234"),
        ("1234.56", "-3.10", "-3.10"),
        ("1234.56", "3.10-", "-3.10"),
        ("1234.56", "\u22123.10", "-3.10"),
        ("1234.56", "+3.10", "3.10"),
        ("1,234.56", "(1,200.00)", "-1200.00"),
        ("1234.56", "123456789012345678.123456789", "123456789012345678.123456789"),
        ("1234.56", "1.1234567890000", "1.123456789"),
    ],
)
def test_a_number_is_read_in_its_form(sql: Bench, form: str, cell: str, number: str) -> None:
    assert sql.value(f"ltc_amount({quoted(cell)}, {quoted(form)})") == Decimal(number)


@pytest.mark.parametrize("cell", ["$-12.50", "-$12.50", "($12.50)", "12.50-$", "- 12.50 $"])
def test_signs_and_marks_stand_in_any_order(sql: Bench, cell: str) -> None:
    assert sql.value(f"ltc_amount({quoted(cell)}, '1,234.56', '$')") == Decimal("-12.50")


@pytest.mark.parametrize(
    "cell",
    ["abc", "1,23", "12,34,567", "1.2.3", "1e3", "NaN", "Infinity", "0x10", "1_000", "--1", "-1-", "1 2", "½", "١٢", "1.", ".5"],
)
def test_what_is_no_number_is_refused_and_never_guessed(sql: Bench, cell: str) -> None:
    assert sql.value(f"ltc_amount({quoted(cell)}, '1,234.56')") == "not_a_number"


@pytest.mark.parametrize("cell", ["1" * 19, "1.1234567891", "0." + "1" * 30])
def test_more_digits_than_are_kept_are_refused_and_not_rounded(sql: Bench, cell: str) -> None:
    assert sql.value(f"ltc_amount({quoted(cell)}, '1234.56')") == "number_too_long"


@settings(max_examples=20, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**15), max_value=10**15))
def test_whatever_is_written_in_a_form_is_read_back_to_the_cent(sql: Bench, amount: Decimal) -> None:
    german = f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
    assert sql.value(f"ltc_amount('{german}', '1.234,56')") == amount
    assert sql.value(f"ltc_amount('${amount:,.2f}', '1,234.56', '$')") == amount


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("ltc_amount('1,234.5', '1,234.56', '1.234,56')", Decimal("1234.5")),
        ("ltc_amount('1.234,5', '1,234.56', '1.234,56')", Decimal("1234.5")),
        ("ltc_amount('12', '1,234.56', '1.234,56')", 12),
        ("ltc_amount('1,234', '1,234.56', '1.234,56')", "ambiguous_number"),
        ("ltc_amount('1.234', '1,234.56', '1.234,56', 'EUR')", "ambiguous_number"),
        ("ltc_amount('EUR -1.234,56', '1,234.56', '1.234,56', 'EUR')", Decimal("-1234.56")),
        ("ltc_amount('1 234,5', '1,234.56', '1.234,56', '1 234,56')", Decimal("1234.5")),
        ("ltc_amount('1;5', '1,234.56', '1.234,56')", "not_a_number"),
        ("ltc_amount('1234567890123456789', '1,234.56', '1.234,56')", "number_too_long"),
        ("ltc_email('ann@example.com')", "ann@example.com"),
        ("ltc_email('ann@example')", "not_an_email"),
        ("ltc_email(NULL)", None),
        ("CASE WHEN ltc_is_email('n/a') THEN 'n/a' END", None),
        ("ltc_phone('+49 (30) 1234-567')", "+49 (30) 1234-567"),
        ("ltc_phone('see below')", "not_a_phone"),
        ("ltc_phone('+49 30 1234567890123')", "not_a_phone"),
        ("CASE WHEN ltc_is_phone('-') THEN '-' END", None),
        ("ltc_integer('-12')", -12),
        ("ltc_integer('1.5')", "not_whole"),
        ("ltc_boolean('YES')", True),
        ("ltc_boolean('0')", False),
        ("ltc_boolean('perhaps')", "not_a_boolean"),
        ("ltc_word('channel', 'web')", "web_form"),
        ("ltc_word('channel', NULL)", "unknown"),
        ("ltc_word('channel', 'mail')", "unmapped_value"),
        ("ltc_word('any', 'other')", "other"),
        ("ltc_code('Z/1 #neu')", "Z/1 -neu"),
        ("ltc_uuid('no')", "not_a_uuid"),
        ("ltc_needed(NULL::VARCHAR)", "empty_value"),
        ("ltc_needed(NULL::VARCHAR, 'no order 7')", "missing_row"),
        ("ltc_refuse(1 > 0, 'too much', 'less')", "refused_by_mapping"),
        ("ltc_refuse(1 < 0, 'too much', 'less')", None),
        ("ltc_amount(NULL, '1234.56')", None),
        ("ltc_div(10.00, 3, 2)", Decimal("3.33")),
        ("ltc_div(-0.05, 2, 2)", Decimal("-0.03")),
        ("ltc_div(1, 0, 2)", "division_by_zero"),
        ("ltc_round(2.345, 2)", Decimal("2.35")),
    ],
)
def test_a_call_gives_a_value_or_a_refusal(sql: Bench, call: str, found: object) -> None:
    assert sql.value(call) == found


@pytest.mark.parametrize(
    "address",
    [
        *("ann@example.com", "a.b+c@sub.example.co", "jörg@müller.example.com", "o'hara@example.com", "ann@example.museum"),
        *("ann", "ann@", "@example.com", "a b@example.com", "ann@@example.com", "ann@example", "ann@-a.com", "ann@a..com"),
        *(".ann@example.com", "ann.@example.com", "ann@shop.local", "ann@shop.test", "ann@localhost", "ann@127.0.0.1"),
    ],
)
def test_an_address_is_one_where_the_ledger_takes_it(sql: Bench, address: str) -> None:
    try:
        taken = bool(email_address(address))
    except PydanticCustomError:
        taken = False
    assert sql.value(f"ltc_is_email({quoted(address)})") is taken


@settings(max_examples=20, deadline=None)
@given(st.decimals(places=4, min_value=-(10**9), max_value=10**9), st.integers(1, 10**6), st.integers(0, 9))
def test_a_division_is_exact_to_the_places_asked_for(sql: Bench, amount: Decimal, by: int, places: int) -> None:
    found = sql.value(f"ltc_div({amount:f}, {by}, {places})")
    assert abs(found - amount / by) <= Decimal(5).scaleb(-places - 1) + Decimal("1e-18")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=9).filter(lambda one: "\0" not in one), min_size=1, max_size=4))
def test_ids_are_those_of_the_ledger(sql: Bench, keys: list[str]) -> None:
    found = sql.value(f"ltc_id('order', {', '.join(map(quoted, keys))})")
    assert UUID(str(found)) == derive_id("import", "shop", "order", *keys)


@pytest.mark.parametrize(
    ("form", "cell", "moment"),
    [
        ("%d %b, %Y %H:%M:%S", "15 Apr, 2021 00:03:00", "2021, 4, 15, 0, 3"),
        ("%d-%m-%Y %H:%M", "03-07-2021 12:59", "2021, 7, 3, 12, 59"),
        ("%m/%d/%y %I:%M %p", "7/3/21 12:05 AM", "2021, 7, 3, 0, 5"),
        ("%m/%d/%y %I:%M %p", "7/3/69 12:05 PM", "1969, 7, 3, 12, 5"),
        ("%d. %B %Y", "3. september 2021", "2021, 9, 3"),
        ("%Y%m%d", "20210703", "2021, 7, 3"),
        ("%Y-%m-%d %H:%M:%S.%f", "2024-01-01 00:00:00.123456", "2024, 1, 1, 0, 0, 0, 123456"),
        ("%Y-%m-%d %H:%M:%S.%n", "2024-01-01 00:00:00.1234567", "2024, 1, 1, 0, 0, 0, 123456"),
        ("%Y-%m-%d %H:%M:%S.%n", "2024-01-01 00:00:00.999999999", "2024, 1, 1, 0, 0, 0, 999999"),
    ],
)
def test_a_time_is_read_in_its_form(sql: Bench, form: str, cell: str, moment: str) -> None:
    read = datetime(*map(int, moment.split(",")))  # type: ignore[arg-type]  # noqa: DTZ001 - local, as cells are
    assert sql.value(f"ltc_time('{cell}', '{form}')") == read
    assert sql.value(f"ltc_date('{cell}', '{form}')") == read.date()


@pytest.mark.parametrize("cell", ["2021-02-30", "2021-13-01", "21-01-01", "2021-01-01T00:00", "0000-01-01", "x2021-01-01"])
def test_what_is_no_date_is_refused(sql: Bench, cell: str) -> None:
    assert sql.value(f"ltc_date('{cell}', '%Y-%m-%d')") == "not_a_date"


def test_a_date_that_two_forms_read_differently_is_refused(sql: Bench) -> None:
    forms = "'%d-%m-%Y', '%m-%d-%Y'"
    assert sql.value(f"ltc_date('31-12-2021', {forms})") == date(2021, 12, 31)
    assert sql.value(f"ltc_date('04-04-2021', {forms})") == date(2021, 4, 4)
    assert sql.value(f"ltc_date('03-04-2021', {forms})") == "ambiguous_date"
    assert sql.value(f"ltc_date('2021', {forms})") == "not_a_date"


def test_a_time_with_its_offset_is_an_instant(sql: Bench) -> None:
    found = sql.value("strftime(ltc_instant('2021-07-03T12:59:00+02:00', '%Y-%m-%dT%H:%M:%S%z') AT TIME ZONE 'UTC', '%H:%M')")
    assert found == "10:59"
    assert sql.value("strftime(ltc_instant('2021-07-03T12:59:00Z', '%Y-%m-%dT%H:%M:%S%z') AT TIME ZONE 'UTC', '%H')") == "12"


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2024-03-01 00:15:00", "2024-02-29T23:15:00Z"),
        ("2024-07-01 00:00:00.5", "2024-06-30T22:00:00.500000Z"),
        ("2024-03-31 01:59:59", "2024-03-31T00:59:59Z"),
        ("2024-03-31 02:30:00", None),  # clocks were put forward
        ("2024-03-31 03:00:00", "2024-03-31T01:00:00Z"),
        ("2024-10-27 01:59:59", "2024-10-26T23:59:59Z"),
        ("2024-10-27 02:30:00", "2024-10-27T00:30:00Z"),  # of two, the first
        ("2024-10-27 03:00:00", "2024-10-27T02:00:00Z"),
    ],
)
def test_a_local_time_is_one_moment_or_none(local: str, utc: str | None) -> None:
    with bench(timezone="Europe/Berlin") as sql:
        assert sql.engine.run(f"SELECT ltc_iso(ltc_utc(TIMESTAMP '{local}'))") == [(utc,)]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("ltc_amount('1', '12.34')", "does not say how 1234.56 is written"),
        ("ltc_amount('1', '1.234.56')", "does not say how 1234.56 is written"),
        ("ltc_amount('1', lower('1234.56'))", "is worked out"),
        ("ltc_amount('1', '1234.56', '12.34')", "does not say how 1234.56 is written"),
        ("ltc_amount('1', '1234.56', '$', '€')", "does not say how 1234.56 is written"),
        ("ltc_date('1', '%d.%m')", "does not say a date in full"),
        ("ltc_date('1', '%H:%M')", "does not say a date in full"),
        ("ltc_date('1', '%Q %Y-%m-%d')", "%Q of"),
        ("ltc_date('1', '%Y-%m-%d %Y')", "stands twice"),
        ("ltc_time('1', '%Y-%m-%d %I:%M')", "which half of the day"),
        ("ltc_time('1', '%Y-%m-%d %z')", "does not go with ltc_time"),
        ("ltc_word('chanel', 'web')", "there is no maps.chanel"),
    ],
)
def test_a_form_that_cannot_work_is_a_mistake_of_the_mapping(sql: Bench, call: str, problem: str) -> None:
    (mistake,) = sql.mistakes_of(f"SELECT\n  {call} AS a")
    assert problem in mistake.problem
    assert mistake.line == 2
    assert mistake.fix


@pytest.mark.parametrize(
    ("number", "text"),
    [(".19", "0.19"), ("-.05", "-0.05"), ("CAST(0 AS DECIMAL(2, 2))", "0"), (".10", "0.1"), ("1.50", "1.5"), ("100.0", "100")],
)
def test_a_number_has_a_digit_before_its_point_in_a_command(sql: Bench, number: str, text: str) -> None:
    type = sql.engine.type(sql.engine.describe(f"SELECT {number} AS n")["n"])
    assert sql.value(as_json(number, type, Decimal)) == text
