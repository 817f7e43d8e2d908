"""What happens so rarely that it is made by hand for a golden store: one event at least of each type that is left."""

from datetime import date, timedelta
from decimal import Decimal

from tests.integration.books import DAY, Books, line

from ltc_events.aggregates.policies import policy_id
from ltc_events.schemas.claim import ClaimKind, ClaimRaised, RaiseClaim, WaiveClaim
from ltc_events.schemas.contract import SignContract, TerminateContract
from ltc_events.schemas.credit_note import (
    ApplyCreditNote,
    CreditReason,
    IssueCreditNote,
    RefundCreditNote,
    ReportFailedCreditRefund,
    UnapplyCreditNote,
)
from ltc_events.schemas.customer import Profile, RegisterCustomer
from ltc_events.schemas.lead import CaptureLead, Channel
from ltc_events.schemas.opportunity import ChangeOwner, ChangeTitle, LoseOpportunity, LossReason, ReopenOpportunity
from ltc_events.schemas.order import AmendOrder
from ltc_events.schemas.payment import (
    AllocateToClaim,
    AllocationRequest,
    CancelMove,
    MoveInPayment,
    MoveOutPayment,
    ReceivePayment,
    RefundPayment,
    ReportFailedRefund,
    ReturnPayment,
    UnallocateFromClaim,
)
from ltc_events.schemas.policy import PolicyKind, PublishPolicy, RequireRegisteredCustomer
from ltc_events.schemas.quote import DraftQuote, ExpireQuote, PriceQuote, QuoteLineRequest, SendQuote
from ltc_events.schemas.receivable import PromisePayment, ReverseWriteOff, SendDunningNotice, WriteOffInvoice

LATER = date(2026, 5, 4)


def rare_events(books: Books) -> None:
    """Let it happen to the customer of these books."""
    _goods(books)
    _cash(books)
    _strangers(books)
    books.open("deal", "900")
    books.do(LoseOpportunity(reason=LossReason.TIMING), "deal")
    books.do(ReopenOpportunity(reason="they called back"), "deal")
    books.do(ChangeTitle(title="Three articles", reason="without the sensors"), "deal")
    books.do(ChangeOwner(owner="ben", reason="ann is on leave"), "deal")
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


def _strangers(books: Books) -> None:
    """A prospect, who is registered later; and money of somebody unknown, for whom policy has a stub."""
    lead = CaptureLead(
        contact_name="Eve", company="Eve Ltd", email="eve@eve.example", industry="trade", need="a mill", channel=Channel.REFERRAL
    )
    prospect = books.id("prospect")
    books.do(lead, "lead", customer=prospect)
    books.do(RegisterCustomer(profile=Profile(name="Eve & Co")), prospect, customer=prospect, on=LATER)
    for mode in ("stub", "refuse"):
        content = RequireRegisteredCustomer.model_validate({"kind": "require_registered_customer", "mode": mode})
        id = policy_id(PolicyKind.REQUIRE_REGISTERED_CUSTOMER)
        books.do(PublishPolicy(content=content), id, customer=id)
        if mode == "stub":
            stranger = ReceivePayment(amount=Decimal(7), currency="EUR", reference="unknown")
            books.do(stranger, "of a stranger", customer=books.id("stranger"))


def _goods(books: Books) -> None:
    """An order that is amended, and billed twice, as the first invoice was wrong."""
    books.order("order", line(1, "2", "50", "19"))
    books.do(AmendOrder(reason="one more", lines=(line(1, "3", "50", "19"),)), "order")
    books.invoice("wrong", "order")
    books.do(IssueCreditNote(invoice_id=books.id("wrong"), reason=CreditReason.OTHER, bill_again=True), "credit")
    books.invoice("right", "order", ("40", 14), ("60", 30))
    books.order("order of another system", line(1, "1", "80"))
    books.invoice("of another system", "order of another system", number="RE-2025-000017")


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
    books.do(ReportFailedCreditRefund(reason="account closed"), "given back", on=LATER)
    books.do(UnapplyCreditNote(invoice_id=books.id("next"), reason="to be paid out"), "given back", on=LATER)
    _corrections(books)


def _moves(books: Books) -> None:
    """Money of an unknown payer, of which some is moved to its customer, some is not, and which the bank takes back then."""
    mill = books.customer
    unknown = books.register("Unidentified receipts")
    books.customer = mill
    books.do(
        ReceivePayment(amount=Decimal(90), currency="EUR", reference="R 4711", payer="A. N. Other"), "found", customer=unknown
    )
    for name, amount in (("of Mill", "60"), ("of nobody", "30")):
        out = MoveOutPayment(
            to_payment_id=books.id(name), to_customer_id=mill, amount=Decimal(amount), reason="the remittance advice"
        )
        books.do(out, "found", on=LATER, customer=unknown)
    books.do(MoveInPayment(from_payment_id=books.id("found")), "of Mill", on=LATER)
    books.do(CancelMove(to_payment_id=books.id("of nobody"), reason="not theirs"), "found", on=LATER, customer=unknown)
    books.do(ReturnPayment(reason="recalled by the payer"), "found", on=LATER, customer=unknown)
    books.do(ReturnPayment(reason="recalled by the payer"), "of Mill", on=LATER)


def _corrections(books: Books) -> None:
    """What was given up by mistake, money that comes back, and what a reminder claims."""
    books.bill("by mistake", "40")
    books.do(WriteOffInvoice(reason="taken for another one"), "by mistake", on=LATER)
    books.do(ReverseWriteOff(reason="it was another one"), "by mistake", on=LATER)
    books.receive("bounced back", "12")
    books.do(RefundPayment(reason="twice"), "bounced back", on=LATER)
    books.do(ReportFailedRefund(reason="account closed"), "bounced back", on=LATER)
    _moves(books)
    books.bill("late", "1000")
    reminded = books.do(SendDunningNotice(instalment=1), "late", on=LATER)
    claims = [one.subject for one in books.store.read(reminded - 10, 20) if isinstance(one.event, ClaimRaised)]
    books.receive("for the claim", "500", on=LATER)
    books.do(AllocateToClaim(claim_id=claims[0]), "for the claim", on=LATER)
    books.do(UnallocateFromClaim(claim_id=claims[0], reason="goodwill"), "for the claim", on=LATER)
    books.do(WaiveClaim(reason="goodwill"), claims[0], on=LATER)
    raised = RaiseClaim(
        kind=ClaimKind.DUNNING_FEE,
        invoice_id=books.id("late"),
        instalment=1,
        amount=Decimal(40),
        reason="lump sum",
    )
    books.do(raised, "lump sum", on=LATER)
