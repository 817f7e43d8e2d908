"""What happens so rarely that it is made by hand for a golden store: one event at least of each type that is left."""

from datetime import date, timedelta
from decimal import Decimal

from tests.integration.books import DAY, Books, line

from ltc_events.schemas.contract import SignContract, TerminateContract
from ltc_events.schemas.credit_note import ApplyCreditNote, CreditReason, IssueCreditNote, RefundCreditNote
from ltc_events.schemas.invoice import PromisePayment, WriteOffInvoice
from ltc_events.schemas.order import AmendOrder
from ltc_events.schemas.payment import AllocationRequest, RefundPayment, ReturnPayment
from ltc_events.schemas.quote import DraftQuote, ExpireQuote, PriceQuote, QuoteLineRequest, SendQuote

LATER = date(2026, 5, 4)


def rare_events(books: Books) -> None:
    """Let it happen to the customer of these books."""
    _goods(books)
    _cash(books)
    books.open("deal", "900")
    books.do(DraftQuote(opportunity_id=books.id("deal"), currency="EUR", valid_until=DAY + timedelta(days=30)), "quote")
    priced = QuoteLineRequest(
        line=1,
        sku="A-1",
        description="article 1",
        quantity=Decimal(3),
        list_price=Decimal(300),
        tax_category="S",
        tax_rate=Decimal(19),
    )
    books.do(PriceQuote(lines=(priced,), requested_by="ann", role="director"), "quote")
    books.do(SendQuote(), "quote")
    books.do(ExpireQuote(), "quote", on=LATER)
    books.do(
        SignContract(
            title="care",
            starts_on=DAY,
            ends_on=date(2026, 12, 31),
            value=Decimal(1200),
            currency="EUR",
            terms="monthly",
            signed_by="Ann",
        ),
        "contract",
    )
    books.do(TerminateContract(ends_on=LATER, reason="moved away"), "contract", on=LATER)


def _goods(books: Books) -> None:
    """An order that is amended, and billed twice, as the first invoice was wrong."""
    books.order("order", line(1, "2", "50", "19"))
    books.do(AmendOrder(reason="one more", lines=(line(1, "3", "50", "19"),)), "order")
    books.invoice("wrong", "order")
    books.do(IssueCreditNote(invoice_id=books.id("wrong"), reason=CreditReason.OTHER, bill_again=True), "credit")
    books.invoice("right", "order", ("40", 14), ("60", 30))


def _cash(books: Books) -> None:
    """Money that goes back: some by the bank, some by us; and some that never comes."""
    books.bill("lost", "75")
    books.do(PromisePayment(promised_on=LATER), "lost")
    books.do(WriteOffInvoice(reason="insolvent"), "lost", on=LATER)
    books.bill("unlucky", "60")
    books.pay("bounced", "60", ("unlucky", "60"))
    books.do(ReturnPayment(reason="account closed"), "bounced", on=LATER)
    books.receive("too much", "33.30")
    books.do(RefundPayment(reason="twice"), "too much", on=LATER)
    books.bill("paid", "80")
    books.pay("in full", "80", ("paid", "80"))
    books.credit("given back", "paid")
    books.bill("next", "30")
    told = AllocationRequest(invoice_id=books.id("next"), amount=Decimal(30))
    books.do(ApplyCreditNote(allocations=(told,)), "given back", on=LATER)
    books.do(RefundCreditNote(reason="as agreed"), "given back", on=LATER)
