"""What comes in from outside: what is refused about a command's data, and how the sender is told."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from ltc_events.schemas.envelope import Undecodable, UnknownType, parse
from ltc_events.schemas.outcome import Refusal

ID = "0190a000-0000-7000-8000-000000000001"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def command(type: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"specversion": "1.0", "id": ID, "source": "test", "type": type, "subject": ID, "partitionkey": ID, "data": data}


def reasons(type: str, data: dict[str, Any]) -> tuple[Refusal, ...]:
    return parse(command(type, data), NOW).reasons


@pytest.mark.parametrize("amount", ["1e3", "1E+3", "1_000", " 1.00", "+1", ".5", "5.", "NaN", "Inf", "١٢", "1,5", "", 1, 1.5])
def test_amounts_are_written_as_the_published_schema_says(amount: Any) -> None:
    (reason,) = reasons("ltc.payment.receive.v1", {"amount": amount, "currency": "EUR"})
    assert (reason.code, reason.field) == ("malformed", "amount")
    assert reason.fix == 'write a decimal number as a string, for example "1234.50"'


@pytest.mark.parametrize("currency", ["ZZZ", "XXX", "EUX"])
def test_currencies_are_those_of_iso_4217(currency: str) -> None:
    (reason,) = reasons("ltc.payment.receive.v1", {"amount": "1.00", "currency": currency})
    assert (reason.code, reason.field) == ("unknown_value", "currency")
    assert reason.message == f"{currency} is not a currency of ISO 4217"


@pytest.mark.parametrize(
    ("field", "value", "message", "example"),
    [
        ("phone", "abc", "this is not a telephone number", "+49 30 1234567"),
        ("email", "not-an-address", "this is not an e-mail address", "ann@example.com"),
    ],
)
def test_a_malformed_contact_is_explained_in_words(field: str, value: str, message: str, example: str) -> None:
    """R-30."""
    (reason,) = reasons("ltc.customer.register.v1", {"profile": {"name": "Acme", field: value}})
    assert (reason.code, reason.field, reason.message) == ("malformed", f"profile.{field}", message)
    assert example in reason.fix


def test_a_list_that_must_not_be_empty_says_so() -> None:
    (reason,) = reasons("ltc.quote.price.v1", {"lines": [], "requested_by": "Ann", "role": "sales"})
    assert (reason.code, reason.field, reason.fix) == ("missing_field", "lines", "give at least 1")


@pytest.mark.parametrize(
    ("type", "fix"),
    [
        ("ltc.lead.captured.v1", "ltc.lead.capture.v1"),
        ("lead.capture.v1", "ltc.lead.capture.v1"),
        ("ltc.order.palce.v1", "ltc.order.place.v1"),
        ("com.example.thing", "docs/commands-and-events.md"),
    ],
)
def test_an_unknown_type_suggests_the_nearest(type: str, fix: str) -> None:
    with pytest.raises(UnknownType) as raised:
        parse(command(type, {}), NOW)
    assert isinstance(raised.value, Undecodable)
    assert type in raised.value.message
    assert fix in raised.value.fix


def test_what_is_right_passes() -> None:
    message = parse(command("ltc.payment.receive.v1", {"amount": "1234.50", "currency": "KWD"}), NOW)
    assert message.reasons == ()
    assert message.command is not None
    assert message.customer_id == UUID(ID)
