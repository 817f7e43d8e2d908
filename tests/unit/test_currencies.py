"""Currencies go with business dates: one that was withdrawn is taken up to its last day."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

import pytest
from pydantic import BaseModel
from tests.unit.memory_unit_of_work import MemoryUnitOfWork

from ltc_events.aggregates.currency_in_use import CurrencyWithdrawn, require_in_use
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.dispatch import dispatch
from ltc_events.kernel.currencies import minor_digits, withdrawn
from ltc_events.kernel.money import minor_unit, round_half_up
from ltc_events.schemas.base import Command, Currency
from ltc_events.schemas.customer import CustomerRegistered, Profile
from ltc_events.schemas.payment import ReceivePayment
from ltc_events.schemas.policy import PublishPolicy
from ltc_events.schemas.registry import COMMANDS

CUSTOMER, PAYMENT = UUID(int=7 << 76 | 2 << 62 | 1), UUID(int=7 << 76 | 2 << 62 | 2)


def receive(currency: str, on: date, amount: str = "12.50") -> list[Any]:
    work = MemoryUnitOfWork(PAYMENT, CUSTOMER)
    work.begin(CUSTOMER, CUSTOMER, date(1900, 1, 1))
    work.emit(AGGREGATES["customer"], CUSTOMER, CustomerRegistered(profile=Profile(name="Acme"), policy_version=0))
    work.begin(PAYMENT, CUSTOMER, on)
    dispatch(ReceivePayment(amount=Decimal(amount), currency=currency, effective_on=on), work)
    return work.emitted


LAST_DAYS = [("HRK", date(2023, 1, 14)), ("BGN", date(2026, 1, 31)), ("LTL", date(2014, 12, 31)), ("ANG", date(2025, 6, 30))]


@pytest.mark.parametrize(("currency", "last_day"), LAST_DAYS)
def test_a_currency_is_taken_up_to_its_last_day(currency: str, last_day: date) -> None:
    assert receive(currency, last_day)
    assert receive(currency, date(2012, 2, 29))
    with pytest.raises(CurrencyWithdrawn) as refused:
        receive(currency, date.fromordinal(last_day.toordinal() + 1))
    assert refused.value.refused_field == "currency"
    assert f"its last day was {last_day}" in refused.value.message


def test_the_refusal_names_what_is_paid_with_now() -> None:
    told = {}
    for currency in ("HRK", "ANG", "ZWL", "DDM"):
        with pytest.raises(CurrencyWithdrawn) as refused:
            receive(currency, date(2027, 1, 1))
        told[currency] = refused.value.fix.split(";")[0]
    assert told == {
        "HRK": "state the amounts in EUR",
        "ANG": "state the amounts in XCG",
        "ZWL": "state the amounts in USD or ZWG",
        "DDM": "state the amounts in the currency that took its place",
    }


def test_its_minor_unit_is_what_it_was() -> None:
    assert [minor_unit(one) for one in ("HRK", "ITL", "ESP")] == [Decimal("0.01"), Decimal(1), Decimal(1)]
    assert round_half_up(Decimal("1936.27"), "ITL") == 1936
    with pytest.raises(Exception, match="finer than the smallest amount of ITL"):
        receive("ITL", date(2001, 6, 30), "1000.50")


def test_no_currency_is_in_use_and_withdrawn() -> None:
    assert not minor_digits().keys() & withdrawn().keys()
    assert {one.digits for one in withdrawn().values()} <= set(range(5))


def test_what_policies_state_is_of_their_date_as_well() -> None:
    for content in (
        {"kind": "company", "legal_name": "Tvrtka d.o.o.", "functional_currency": "HRK"},
        {"kind": "dunning", "annual_interest_percent": "5", "fee": "0", "fees": {"EUR": "1", "HRK": "5"}, "days_between": 7},
    ):
        command = PublishPolicy.model_validate_json(json.dumps({"content": content}))
        require_in_use(command, date(2022, 12, 31))
        with pytest.raises(CurrencyWithdrawn, match="HRK was withdrawn"):
            require_in_use(command, date(2023, 2, 1))


def currencies_of(model: Any, path: str = "") -> Iterator[str]:
    """Where in a model a currency is stated."""
    for name, field in model.model_fields.items():
        yield from _in(field.annotation, f"{path}{name}", field.metadata)


def _in(annotation: Any, path: str, metadata: Any = ()) -> Iterator[str]:
    if annotation == Currency or any(one in metadata for one in get_args(Currency)[1:]):
        yield path
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from currencies_of(annotation, f"{path}.")
    else:
        for one in get_args(annotation):
            yield from _in(one, path)


def test_every_currency_that_a_command_states_is_looked_at() -> None:
    found = {model.type: set(currencies_of(model)) for model in COMMANDS.values()}
    assert all(issubclass(model, Command) for model in COMMANDS.values())
    assert found.pop(PublishPolicy.type) == {"content.functional_currency", "content.fees", "content.rules.limits"}
    assert set().union(*found.values()) == {"currency"}
    assert len([1 for one in found.values() if one]) >= 8
