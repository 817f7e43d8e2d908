"""Laws of every currency that ISO 4217 publishes: its digits, and that amounts in it lose nothing."""

from decimal import Decimal

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ltc_events.kernel.currencies import minor_digits
from ltc_events.kernel.money import apportion, minor_unit, round_half_up
from ltc_events.reports.values import amount_text
from ltc_events.schemas.base import Currency
from ltc_events.schemas.payment import PaymentReceived

PUBLISHED = {code: entry["CcyMnrUnts"] for code, entry in iso4217.raw_table.items() if code}
CURRENCIES = st.sampled_from(sorted(minor_digits()))
UNITS = st.integers(-(10**17), 10**17)
WITHDRAWN = ("ANG", "BGN", "CUC", "HRK", "SLL", "ZWL")


@pytest.mark.parametrize("code", sorted(PUBLISHED))
def test_the_minor_unit_is_the_published_one_and_a_code_without_is_none(code: str) -> None:
    if PUBLISHED[code] == "N.A.":
        assert code not in minor_digits()
    else:
        assert minor_unit(code) == Decimal(1).scaleb(-int(str(PUBLISHED[code])))
        assert TypeAdapter(Currency).validate_python(code) == code


@pytest.mark.parametrize(("code", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("RSD", 2), ("ISK", 0), ("IQD", 3)])
def test_the_digits_are_those_of_the_standard_and_not_the_customary_ones(code: str, digits: int) -> None:
    assert minor_digits()[code] == digits


@pytest.mark.parametrize("code", WITHDRAWN)
def test_stored_amounts_in_a_withdrawn_currency_are_read_with_two_digits(code: str) -> None:
    assert code not in minor_digits()
    event = PaymentReceived.model_validate_json(
        f'{{"amount": "12.5", "currency": "{code}", "method": "cash", "reference": null}}'
    )
    assert amount_text(event.amount, event.currency) == "12.50"


@given(UNITS, CURRENCIES)
def test_money_of_every_currency_comes_back_as_it_was(units: int, currency: str) -> None:
    amount = units * minor_unit(currency)
    assert Decimal(amount_text(amount, currency)) == amount
    assert round_half_up(amount, currency) == amount


@given(st.integers(0, 10**17), st.lists(st.integers(1, 10**6), min_size=1, max_size=8), CURRENCIES)
def test_shares_in_every_currency_add_up_in_its_minor_unit(units: int, weights: list[int], currency: str) -> None:
    unit = minor_unit(currency)
    shares = apportion(units * unit, [weight * unit for weight in weights], currency)
    assert sum(shares) == units * unit
    assert all(share % unit == 0 for share in shares)
