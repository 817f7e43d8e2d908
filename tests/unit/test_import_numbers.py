"""Numbers as other systems write them: read exactly, or refused with what is wrong."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_events.importing.errors import BadValue
from ltc_events.importing.numbers import NumberFormat, number_parser


@pytest.mark.parametrize(
    ("formats", "text", "number"),
    [
        (["1234.56"], "0", "0"),
        (["1234.56"], "22.5", "22.5"),
        (["1,234.56"], "89,066,200.00", "89066200.00"),
        (["1,234.56"], "1234.5", "1234.5"),
        (["1.234,56"], "1.234.567,89", "1234567.89"),
        (["1 234,56"], "1 234,56", "1234.56"),
        (["1'234.56"], "12'345.05", "12345.05"),
        (["1,234"], "1,234", "1234"),
        (["1234,56", "1234.56"], "1234,56", "1234.56"),
        (["1234.56"], "-3.10", "-3.10"),
        (["1234.56"], "3.10-", "-3.10"),
        (["1234.56"], "\u22123.10", "-3.10"),
        (["1234.56"], "+3.10", "3.10"),
        (["1,234.56"], "(1,200.00)", "-1200.00"),
    ],
)
def test_a_number_is_read_in_the_formats_that_are_listed(formats: list[str], text: str, number: str) -> None:
    assert str(number_parser(formats)(text)) == number


@pytest.mark.parametrize("text", ["$-12.50", "-$12.50", "(12.50 USD)", "USD 12.50-", "- 12.50 $"])
def test_signs_and_marks_stand_in_any_order(text: str) -> None:
    assert number_parser(["1,234.56"], strip=["$", "USD"])(text) == Decimal("-12.50")


def test_suffixes_multiply_exactly() -> None:
    parse = number_parser(["1,234.56"], strip=["$"], suffixes={"K": Decimal(1000), "M": Decimal(1000000)})
    assert parse("$1,117.10K") == Decimal(1117100)
    assert parse("$0.3M") == Decimal(300000)
    assert parse("$7") == 7


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1,23", "12,34,567", "1.2.3", "1e3", "NaN", "Infinity", "0x10", "1_000", "--1", "1 2", "½", "١٢", "1.", ".5"],
)
def test_what_is_no_number_is_refused_and_never_guessed(text: str) -> None:
    with pytest.raises(BadValue) as refused:
        number_parser(["1,234.56"])(text)
    assert refused.value.code == "not_a_number"
    assert "1,234.56" in refused.value.fix


def test_a_number_that_two_formats_read_differently_is_refused() -> None:
    parse = number_parser(["1,234.56", "1.234,56"])
    assert parse("1,234.56") == Decimal("1234.56")
    assert parse("12") == 12
    with pytest.raises(BadValue, match=r"'1\.234' can be read as 1\.234 and as 1234"):
        parse("1.234")


def test_more_digits_than_the_ledger_holds_are_refused() -> None:
    with pytest.raises(BadValue, match="more than 24 digits"):
        number_parser(["1234.56"])("1" * 25)


@pytest.mark.parametrize("example", ["", "1234,5", "1.234.56", "12.34", "0,00", "1,234,56"])
def test_an_example_that_does_not_say_how_numbers_are_written_is_an_error(example: str) -> None:
    with pytest.raises(ValueError, match=r"does not say how 1234\.56 is written"):
        NumberFormat(example)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**15), max_value=10**15))
def test_whatever_is_written_in_a_format_is_read_back_to_the_cent(amount: Decimal) -> None:
    german = f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
    assert number_parser(["1.234,56"])(german) == amount
    assert number_parser(["1,234.56"], strip=["$"])(f"${amount:,.2f}") == amount
