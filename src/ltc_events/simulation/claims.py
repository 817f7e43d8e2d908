"""What becomes of fees and interest that reminders claim: some are paid, some booked by mistake, most waived in the end."""

from decimal import Decimal
from uuid import UUID

from ltc_events.schemas.claim import WaiveClaim
from ltc_events.schemas.payment import AllocateToClaim, UnallocateFromClaim
from ltc_events.simulation import names, payments
from ltc_events.simulation.customer import Customer, Receivable
from ltc_events.simulation.run import Process


def settle(customer: Customer, receivable: Receivable) -> Process:
    """Once the customer has paid what it owed late, it is asked for what its lateness cost."""
    claims, customer.claims = customer.claims, {}
    for claim_id, amount in claims.items():
        yield from _settle(customer, receivable, claim_id, amount)
        customer.books.forget(claim_id)


def _settle(customer: Customer, receivable: Receivable, claim_id: UUID, amount: Decimal) -> Process:
    chance = customer.chance
    if chance.percent(45):
        yield customer.after(2, 20)
        id = yield from payments.receive(customer, amount, customer.today)
        customer.do(AllocateToClaim(claim_id=claim_id), id, names.CASHIER)
        if chance.percent(8):
            yield customer.hours(2, 20)
            customer.do(UnallocateFromClaim(claim_id=claim_id, reason="booked by mistake"), id, names.CASHIER)
            yield customer.minutes(5, 60)
            customer.do(AllocateToClaim(claim_id=claim_id), id, names.CASHIER)
        customer.books.forget(id)
    elif chance.percent(70):
        yield customer.after(5, 30)
        customer.do(WaiveClaim(reason="goodwill"), claim_id, names.COLLECTOR)
