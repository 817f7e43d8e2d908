"""Laws of stored numbers: whatever an amount or quantity is, it is stored written out in digits, and comes back as it was."""

import re
from decimal import Decimal
from uuid import UUID

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from ltc_events.schemas.order import LineAmount, OrderDelivered
from ltc_events.store.decoding import decode
from ltc_events.store.mapper import encode

PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15)


@given(quantity=decimals, amount=decimals, currency=st.sampled_from(["EUR", "1E-7", "E+"]))
@example(quantity=Decimal("0.0000001"), amount=Decimal("1E+3"), currency="1E-7")
def test_numbers_are_stored_in_digits(quantity: Decimal, amount: Decimal, currency: str) -> None:
    line = LineAmount(line=1, quantity=quantity, amount=amount)
    event = OrderDelivered(delivery_id=UUID(int=1), currency=currency, lines=(line,), amount=amount, complete=False)
    stored = encode(event)
    body = orjson.loads(stored)
    numbers = [body["amount"], body["lines"][0]["quantity"], body["lines"][0]["amount"]]
    assert all(PLAIN.fullmatch(number) for number in numbers)
    assert body["currency"] == currency
    assert decode(event.type, stored, 1)[0] == event
