"""Laws of numbers: whatever an amount or quantity is, it is stored and sent written out in digits, and comes back as it was."""

import re
from decimal import Decimal
from uuid import UUID

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from ltc_events.schemas.decimal_json import dump
from ltc_events.schemas.envelope import document
from ltc_events.schemas.order import LineAmount, LineQuantity, OrderDelivered, ReportDelivery
from ltc_events.store.decoding import decode

PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15)


@given(quantity=decimals, amount=decimals, currency=st.sampled_from(["EUR", "1E-7", "E+"]))
@example(quantity=Decimal("0.0000001"), amount=Decimal("1E+3"), currency="1E-7")
def test_numbers_are_stored_in_digits(quantity: Decimal, amount: Decimal, currency: str) -> None:
    line = LineAmount(line=1, quantity=quantity, amount=amount)
    event = OrderDelivered(delivery_id=UUID(int=1), currency=currency, lines=(line,), amount=amount, complete=False)
    stored = dump(event)
    body = orjson.loads(stored)
    numbers = [body["amount"], body["lines"][0]["quantity"], body["lines"][0]["amount"]]
    assert all(PLAIN.fullmatch(number) for number in numbers)
    assert body["currency"] == currency
    assert decode(event.type, stored, 1)[0] == event


@given(quantity=st.decimals(min_value=Decimal("1e-9"), max_value=10**14, places=9))
@example(quantity=Decimal("0.0000001"))
@example(quantity=Decimal("1E+3"))
def test_numbers_are_sent_in_digits(quantity: Decimal) -> None:
    id = UUID(int=1)
    command = ReportDelivery(delivery_id=id, lines=(LineQuantity(line=1, quantity=quantity),))
    sent = document(command, command_id=id, subject=id, customer_id=id, source="test")["data"]
    assert PLAIN.fullmatch(sent["lines"][0]["quantity"])
    assert ReportDelivery.model_validate({**sent, "delivery_id": id}).lines == command.lines
