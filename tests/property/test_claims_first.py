"""Laws of automatic allocation with `claims_first`: nothing is put lower while something above is open, and nothing is left."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given as examples
from hypothesis import strategies as st
from tests.unit.money_examples import INVOICE, PAYMENT, issued, received
from tests.unit.specification import TODAY, at, given
from tests.unit.test_claims import dunning, raised

from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.claim import ClaimKind
from ltc_events.schemas.payment import AllocatePayment, PaymentAllocated, PaymentAllocatedToClaim

ORDER = [ClaimKind.DUNNING_FEE, ClaimKind.INTEREST, ClaimKind.RETURNED_PAYMENT]
CENTS = st.integers(1, 5_000).map(lambda cents: Decimal(cents) / 100)
CURRENCIES = st.sampled_from(["EUR", "EUR", "EUR", "USD"])
CLAIMS = st.lists(st.tuples(st.sampled_from(ORDER), CENTS, CURRENCIES), max_size=6)


@examples(CLAIMS, CENTS, CENTS)
def test_fees_then_interest_then_returned_payments_then_invoices(
    claims: list[tuple[ClaimKind, Decimal, str]], money: Decimal, invoiced: Decimal
) -> None:
    ids = [derive_id("law", str(number)) for number in range(len(claims))]
    history = [at(id, raised(str(amount), currency, kind)) for id, (kind, amount, currency) in zip(ids, claims, strict=True)]
    story = given(
        dunning(automatic_allocation="claims_first"),
        *history,
        at(INVOICE, issued(str(invoiced))),
        at(PAYMENT, received(str(money))),
    )
    story.when(AllocatePayment(), subject=PAYMENT, on=TODAY + timedelta(days=1))
    owed = dict(zip(ids, claims, strict=True))
    put = [(ORDER.index(owed[one.claim_id][0]), one.amount) for one in story.events if type(one) is PaymentAllocatedToClaim]
    rest = sum((one.amount for one in story.events if type(one) is PaymentAllocated), Decimal(0))
    assert [rank for rank, _ in put] == sorted(rank for rank, _ in put)
    left = money
    for rank, kind in enumerate(ORDER):
        of_kind = sum((amount for this, amount, currency in claims if this is kind and currency == "EUR"), Decimal(0))
        assert sum((amount for this, amount in put if this == rank), Decimal(0)) == min(left, of_kind)
        left -= min(left, of_kind)
    assert rest == min(left, invoiced)
