"""Business dates have an order: nothing is dated before what it acts on, in its aggregate and across aggregates (cash apart)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from tests.unit.money_examples import CREDIT_NOTE, INVOICE, ORDER, amounts, delivered, order_line, placed, quantities
from tests.unit.money_examples import line_request as line
from tests.unit.selling_examples import BOOK, LEAD, OPPORTUNITY, QUOTE, captured, drafted, opened, price_book, priced, request
from tests.unit.specification import SUBJECT, TODAY, Placed, at, given, on
from tests.unit.test_campaign import PLANNED, SPEND
from tests.unit.test_contract import SIGN, SIGNED
from tests.unit.test_opportunity import moved

from ltc_events.aggregates.base import DatedTooEarly
from ltc_events.aggregates.business_dates import StepDatedTooEarly
from ltc_events.aggregates.number_series import NumberDatedTooEarly
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.campaign import CampaignLaunched, CloseCampaign, LaunchCampaign
from ltc_events.schemas.contract import ContractRenewed, FlagRenewal, RenewContract, TerminateContract
from ltc_events.schemas.customer import AddContact, CustomerRegistered, LinkReference, Profile, UpdateProfile
from ltc_events.schemas.follow_up import (
    CompleteFollowUp,
    FollowUpScheduled,
    MissFollowUp,
    RecordFirstResponse,
    RecordResponseBreach,
    ScheduleFollowUp,
)
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.lead import (
    AssignLead,
    ChangeTemperature,
    ConvertLead,
    DisqualifyLead,
    EvidenceKind,
    LeadAccepted,
    LeadAssigned,
    LeadConverted,
    LeadDetail,
    LeadQualified,
    QualifyLead,
    RecordLeadDetail,
    ScoreLead,
    ScreenLead,
    Temperature,
    TemperatureChanged,
)
from ltc_events.schemas.number_series import NumberAssigned, series_id
from ltc_events.schemas.opportunity import (
    AdvanceStage,
    AmountChanged,
    ChangeAmount,
    ChangeCloseDate,
    ChangeOwner,
    ChangeTitle,
    InteractionKind,
    LogInteraction,
    LoseOpportunity,
    LossReason,
    MapDecisionMaker,
    MoveStageBack,
    OpportunityLost,
    ReopenOpportunity,
    WinOpportunity,
)
from ltc_events.schemas.order import (
    AmendOrder,
    CancelOrder,
    OrderAmended,
    OrderBillingReversed,
    OrderCancelled,
    OrderInvoiced,
    PlaceOrder,
    ReportDelivery,
    ShipOrder,
)
from ltc_events.schemas.policy import Billing, BusinessDates, Company, PolicyPublished, PublishPolicy, PublishPriceBook
from ltc_events.schemas.quote import (
    AcceptQuote,
    ApproveDiscount,
    DraftQuote,
    ExpireQuote,
    PriceQuote,
    QuoteAccepted,
    QuoteOrdered,
    QuoteRejected,
    QuoteSent,
    RejectDiscount,
    RejectQuote,
    ReviseQuote,
    SendQuote,
)
from ltc_events.schemas.registry import COMMANDS

BEFORE = TODAY - timedelta(days=1)
EARLIER = TODAY - timedelta(days=10)
LATER = TODAY + timedelta(days=10)
FOLLOW_UP = derive_id("test", "follow-up")
RECORD = PolicyPublished(version=1, content=BusinessDates(kind="business_dates", selling="record"))
CONVERT = ConvertLead(
    opportunity_id=OPPORTUNITY,
    evidence=EvidenceKind.INTENT_TO_BUY,
    evidence_note="asked for a quote",
    can_take_part=True,
    title="The mill",
    amount=Decimal(1000),
    currency="EUR",
)
SCREEN = ScreenLead(specific_customer=True, potential_intent=True, can_take_part=True)
SCHEDULED = FollowUpScheduled(follow_up_id=FOLLOW_UP, due_at=datetime(2026, 1, 1, tzinfo=UTC), medium="call")
ACCEPTED = QuoteAccepted(revision=1, opportunity_id=OPPORTUNITY, net=Decimal(1000), currency="EUR")
QUALIFIED = LeadQualified(need="a mill")


class Case(NamedTuple):
    """A command after a history whose last event, of `TODAY`, it acts on."""

    history: tuple[Event | Placed, ...]
    command: Command
    subject: Any = None


def early(*events: Event) -> tuple[Placed, ...]:
    """What happened long before."""
    return tuple(on(EARLIER, event) for event in events)


SELLING = {
    "screen": Case((captured(),), SCREEN),
    "detail": Case((captured(),), RecordLeadDetail(detail=LeadDetail(pain_points="noise"))),
    "temperature": Case(
        (*early(captured()), TemperatureChanged(was=Temperature.COLD, temperature=Temperature.HOT, reason="called")),
        ChangeTemperature(temperature=Temperature.WARM, reason="cooled down"),
    ),
    "assign": Case((*early(captured()), LeadAccepted()), AssignLead(owner="Sam")),
    "assign again": Case(
        (*early(captured(), LeadAccepted()), LeadAssigned(owner="Sam", rule="manual", rule_version=0)), AssignLead(owner="Kim")
    ),
    "score": Case((captured(),), ScoreLead(inputs={"source": "referral"})),
    "breach": Case((captured(response_due_at=datetime(2026, 1, 1, tzinfo=UTC)),), RecordResponseBreach()),
    "respond": Case((captured(),), RecordFirstResponse(by="Sam", medium="phone")),
    "schedule": Case(
        (captured(),), ScheduleFollowUp(follow_up_id=FOLLOW_UP, due_at=datetime(2026, 4, 1, tzinfo=UTC), medium="call")
    ),
    "complete": Case((*early(captured()), SCHEDULED), CompleteFollowUp(follow_up_id=FOLLOW_UP, result="done")),
    "miss": Case((*early(captured()), SCHEDULED), MissFollowUp(follow_up_id=FOLLOW_UP)),
    "qualify": Case((*early(captured()), LeadAccepted()), QualifyLead(need="a mill")),
    "disqualify": Case((*early(captured(), LeadAccepted()), QUALIFIED), DisqualifyLead(reason="no budget")),
    "convert": Case((*early(captured(), LeadAccepted()), QUALIFIED), CONVERT),
    "interaction": Case((opened(),), LogInteraction(kind=InteractionKind.CALL, summary="rang")),
    "decision maker": Case((opened(),), MapDecisionMaker(contact_name="Ada", role="buyer")),
    "advance": Case((*early(opened()), moved("qualification", 20)), AdvanceStage(stage="proposal")),
    "back": Case((*early(opened()), moved("qualification", 20)), MoveStageBack(stage="prospecting", reason="too soon")),
    "amount": Case((opened(),), ChangeAmount(amount=Decimal(2))),
    "title": Case((opened(),), ChangeTitle(title="Two mills")),
    "owner": Case((opened(),), ChangeOwner(owner="ben")),
    "close date": Case((opened(),), ChangeCloseDate(expected_close_on=date(2026, 9, 1))),
    "lose": Case(
        (*early(opened()), AmountChanged(was=Decimal(1000), amount=Decimal(1), currency="EUR")),
        LoseOpportunity(reason=LossReason.PRICE),
    ),
    "reopen": Case(
        (*early(opened()), OpportunityLost(from_stage="x", amount=Decimal(1), currency="EUR", reason=LossReason.PRICE)),
        ReopenOpportunity(reason="they called back"),
    ),
    "win": Case((*early(opened()), moved("proposal", 50)), WinOpportunity(reason="by phone")),
    "win by quote": Case(
        (
            *early(opened()),
            on(EARLIER, at(QUOTE, drafted(opportunity_id=OPPORTUNITY), priced(), QuoteSent(revision=1))),
            at(QUOTE, ACCEPTED),
        ),
        WinOpportunity(quote_id=QUOTE),
    ),
    "draft": Case((at(OPPORTUNITY, opened()),), DraftQuote(opportunity_id=OPPORTUNITY, currency="EUR", valid_until=LATER)),
    "price": Case((drafted(),), PriceQuote(lines=(request(),), requested_by="Ann", role="sales")),
    "approve": Case((*early(drafted()), priced(20)), ApproveDiscount(approver="Max", role="sales_manager")),
    "turn down": Case((*early(drafted()), priced(20)), RejectDiscount(approver="Max", reason="too much")),
    "send": Case((*early(drafted()), priced()), SendQuote()),
    "accept": Case((*early(drafted(), priced()), QuoteSent(revision=1)), AcceptQuote()),
    "reject": Case((*early(drafted(), priced()), QuoteSent(revision=1)), RejectQuote(reason="too dear")),
    "expire": Case((*early(drafted(valid_until=EARLIER), priced()), QuoteSent(revision=1)), ExpireQuote()),
    "revise": Case(
        (*early(drafted(), priced(), QuoteSent(revision=1)), QuoteRejected(revision=1, reason="no")), ReviseQuote(reason="again")
    ),
}
"""Each step of selling, after what it acts on."""


def _subject(name: str, case: Case) -> Any:
    """The deal of `win by quote` is the quote's."""
    return OPPORTUNITY if name == "win by quote" else case.subject


def _history(name: str, case: Case) -> tuple[Event | Placed, ...]:
    if name != "win by quote":
        return case.history
    return tuple(one._replace(id=OPPORTUNITY) if isinstance(one, Placed) and one.id == SUBJECT else one for one in case.history)


class TestSelling:
    @pytest.mark.parametrize("name", SELLING)
    def test_a_step_is_not_dated_before_what_it_acts_on(self, name: str) -> None:
        case = SELLING[name]
        given(*_history(name, case)).when(case.command, subject=_subject(name, case), on=BEFORE).then(
            StepDatedTooEarly, field="effective_on", message=f"{BEFORE} is before {TODAY}", fix="selling = record"
        )

    @pytest.mark.parametrize("name", SELLING)
    def test_on_the_same_day_it_is_in_order(self, name: str) -> None:
        case = SELLING[name]
        events = given(*_history(name, case)).when(case.command, subject=_subject(name, case)).events
        assert [event.dated_before for event in events] == [None] * len(events)

    @pytest.mark.parametrize("name", SELLING)
    def test_policy_has_it_recorded_with_the_disorder_marked(self, name: str) -> None:
        case = SELLING[name]
        events = given(RECORD, *_history(name, case)).when(case.command, subject=_subject(name, case), on=BEFORE).events
        assert events
        assert [event.dated_before for event in events] == [TODAY] * len(events)

    def test_what_happened_in_between_needs_no_order(self) -> None:
        """An assignment does not act on the qualification, nor one interaction on another."""
        history = (*early(captured(), LeadAccepted()), QUALIFIED)
        assert given(*history).when(AssignLead(owner="Sam"), on=BEFORE).events
        talk = LogInteraction(kind=InteractionKind.CALL, summary="rang")
        assert given(*early(opened()), moved("proposal", 50)).when(talk, on=BEFORE).events

    def test_years_before_the_draft_nothing_is_accepted(self) -> None:
        history = (drafted(), priced(), QuoteSent(revision=1))
        given(*history).when(AcceptQuote(), on=date(2019, 3, 2)).then(
            StepDatedTooEarly, message="2019-03-02 is before 2026-03-02"
        )

    def test_a_deal_that_predates_its_lead_is_marked_and_goes_on_from_its_own_date(self) -> None:
        lead = at(LEAD, captured(), LeadAccepted(), QUALIFIED)
        told = given(RECORD, lead).when(CONVERT, subject=LEAD, on=EARLIER)
        converted, begun = told.events
        assert type(converted) is LeadConverted
        assert (converted.dated_before, begun.dated_before) == (TODAY, TODAY)
        (moved,) = told.when(AdvanceStage(stage="proposal"), subject=OPPORTUNITY, on=BEFORE).events
        assert moved.dated_before is None

    def test_after_a_step_that_is_marked_the_latest_date_counts(self) -> None:
        told = given(RECORD, captured()).when(
            ScreenLead(specific_customer=True, potential_intent=True, can_take_part=True), on=BEFORE
        )
        (qualified,) = told.when(QualifyLead(need="a mill"), on=BEFORE).events
        assert qualified.dated_before == TODAY


def amended(*lines: Any, net: str, change: str) -> OrderAmended:
    return OrderAmended(
        currency="EUR", reason="more", lines=lines, changes=(), complete=False, net=Decimal(net), net_change=Decimal(change)
    )


def order(*events: Event) -> Placed:
    return at(ORDER, *events)


def refused(history: tuple[Any, ...], command: Command, day: date, earliest: date, what: str, subject: Any = ORDER) -> None:
    given(*history).when(command, subject=subject, on=day).then(
        DatedTooEarly, field="effective_on", message=f"{day} is before {earliest}, the date of {what}", fix=str(earliest)
    )


MORE = amended(order_line(quantity="20", net="200"), net="200", change="100")
DEARER = amended(order_line(net="200"), net="200", change="100")
ALL = ReportDelivery(delivery_id=derive_id("test", "the next"))
AMEND = AmendOrder(reason="less", lines=(line(quantity="12"),))
HALF = ReportDelivery(delivery_id=derive_id("test", "the next"), lines=quantities((1, "5")))


class TestOrdering:
    @pytest.mark.parametrize(
        "command",
        [
            ALL,
            ShipOrder(shipment_id=SUBJECT),
            AmendOrder(reason="more", lines=(line(quantity="12"),)),
            CancelOrder(reason="late"),
        ],
        ids=lambda command: command.type,
    )
    def test_nothing_is_done_about_an_order_before_it_is_placed(self, command: Command) -> None:
        refused((RECORD, order(placed())), command, BEFORE, TODAY, "the order")

    def test_an_order_is_not_dated_before_the_acceptance_of_its_quote_or_its_deal_whatever_policy_says_of_selling(self) -> None:
        deal = on(EARLIER, at(OPPORTUNITY, opened()))
        sent = on(EARLIER, at(QUOTE, drafted(opportunity_id=OPPORTUNITY), priced(), QuoteSent(revision=1)))
        quoted = (RECORD, deal, sent, at(QUOTE, ACCEPTED))
        refused(quoted, PlaceOrder(quote_id=QUOTE), BEFORE, TODAY, "the acceptance of the quote")
        by_phone = PlaceOrder(opportunity_id=OPPORTUNITY, reason="by telephone", currency="EUR", lines=(line(),))
        refused((RECORD, at(OPPORTUNITY, opened())), by_phone, BEFORE, TODAY, "the opening of the opportunity")

    def test_a_quote_is_not_ordered_again_before_its_first_order_was_cancelled(self) -> None:
        cancelled = OrderCancelled(currency="EUR", reason="late", lines=amounts((1, "10", "100")), amount=Decimal(100))
        first = on(EARLIER, order(placed()))
        sent = on(
            EARLIER, at(QUOTE, drafted(), priced(), QuoteSent(revision=1), ACCEPTED.model_copy(update={"opportunity_id": None}))
        )
        ordered = on(EARLIER, at(QUOTE, QuoteOrdered(revision=1, order_id=ORDER)))
        history = (first, sent, ordered, order(cancelled))
        what = "the cancellation of the order that was placed from the quote before"
        refused(history, PlaceOrder(quote_id=QUOTE), BEFORE, TODAY, what, subject=SUBJECT)

    def test_what_an_amendment_adds_is_not_delivered_before_it(self) -> None:
        history = (on(EARLIER, order(placed())), order(MORE))
        refused(history, ALL, BEFORE, TODAY, "the amendment by which as much of line 1 is ordered")
        assert given(*history).when(HALF, subject=ORDER, on=BEFORE).events

    def test_nothing_is_delivered_before_it_had_its_price(self) -> None:
        history = (on(EARLIER, order(placed())), order(DEARER))
        refused(history, HALF, BEFORE, TODAY, "the amendment that gave line 1 its price")

    def test_a_delivery_that_is_reported_late_has_its_own_date(self) -> None:
        history = (on(EARLIER, order(placed())), order(delivered((1, "5", "50"))))
        assert given(*history).when(HALF, subject=ORDER, on=BEFORE).events

    def test_amendments_go_forward_and_start_from_what_is_billed(self) -> None:
        refused((on(EARLIER, order(placed())), order(MORE)), AMEND, BEFORE, TODAY, "the order's last amendment")
        reversed = OrderBillingReversed(
            credit_note_id=CREDIT_NOTE, invoice_id=INVOICE, currency="EUR", lines=amounts((1, "5", "50")), amount=Decimal(50)
        )
        billed = OrderInvoiced(invoice_id=INVOICE, lines=amounts((1, "5", "50")), amount=Decimal(50))
        history = (on(EARLIER, order(placed(), billed)), order(reversed))
        refused(history, AMEND, BEFORE, TODAY, "the credit note after which it is to be billed again")

    def test_an_order_is_not_cancelled_before_what_was_delivered_of_it(self) -> None:
        history = (on(EARLIER, order(placed())), order(delivered((1, "5", "50"))))
        refused(history, CancelOrder(reason="late"), BEFORE, TODAY, "the order's last delivery")


BY_ORDER = PolicyPublished(version=1, content=Billing(kind="billing", basis="ordered", over_billing_percent=Decimal(0)))
GENEROUS = PolicyPublished(version=1, content=Billing(kind="billing", over_billing_percent=Decimal(20)))


def bill(*parts: tuple[int, str]) -> IssueInvoice:
    return IssueInvoice(order_id=ORDER, lines=quantities(*parts))


def billed(history: tuple[Any, ...], command: IssueInvoice, day: date) -> Decimal:
    """The quantity that the invoice bills of the first line."""
    issued = given(*history).when(command, subject=INVOICE, on=day).events[1]
    quantity: Decimal = issued.lines[0].quantity
    return quantity


class TestBilling:
    DELIVERED_TWICE = (
        on(EARLIER, order(placed(), delivered((1, "4", "40")))),
        order(delivered((1, "6", "60"), delivery_id=FOLLOW_UP)),
    )

    def test_an_invoice_is_not_dated_before_the_delivery_that_it_bills(self) -> None:
        refused((on(EARLIER, order(placed())), order(delivered((1, "5", "50")))), bill(), BEFORE, TODAY, "what it bills", INVOICE)
        what = "the delivery of what it bills of line 1"
        refused(self.DELIVERED_TWICE, bill((1, "5")), BEFORE, TODAY, what, INVOICE)

    def test_an_invoice_bills_what_was_delivered_by_its_date(self) -> None:
        assert billed(self.DELIVERED_TWICE, bill(), TODAY) == 10
        assert billed(self.DELIVERED_TWICE, bill(), BEFORE) == 4
        assert billed(self.DELIVERED_TWICE, bill((1, "4")), BEFORE) == 4

    def test_what_a_later_invoice_bills_cannot_be_billed_before_it_too(self) -> None:
        later = OrderInvoiced(invoice_id=CREDIT_NOTE, lines=amounts((1, "8", "80")), amount=Decimal(80))
        history = (*self.DELIVERED_TWICE, order(later))
        assert billed(history, bill(), BEFORE) == 2

    def test_the_allowance_does_not_need_a_delivery(self) -> None:
        history = (GENEROUS, *self.DELIVERED_TWICE)
        assert billed(history, bill((1, "5")), BEFORE) == 5
        assert billed(history, bill((1, "12")), TODAY) == 12

    def test_an_invoice_by_order_is_not_dated_before_the_order_or_the_amendment_that_it_bills(self) -> None:
        refused((BY_ORDER, order(placed())), bill(), BEFORE, TODAY, "the order", INVOICE)
        more = (BY_ORDER, on(EARLIER, order(placed())), order(MORE))
        refused(more, bill((1, "11")), BEFORE, TODAY, "the amendment by which as much of line 1 is ordered", INVOICE)
        assert billed(more, bill(), BEFORE) == 10
        dearer = (BY_ORDER, on(EARLIER, order(placed())), order(DEARER))
        refused(dearer, bill(), BEFORE, TODAY, "what it bills", INVOICE)
        refused(dearer, bill((1, "1")), BEFORE, TODAY, "the amendment that gave line 1 its price", INVOICE)

    def test_what_is_to_be_billed_again_is_so_from_the_credit_note_on(self) -> None:
        ten = amounts((1, "10", "100"))
        once = (
            placed(),
            delivered((1, "10", "100"), complete=True),
            OrderInvoiced(invoice_id=QUOTE, lines=ten, amount=Decimal(100)),
        )
        again = OrderBillingReversed(credit_note_id=CREDIT_NOTE, invoice_id=QUOTE, currency="EUR", lines=ten, amount=Decimal(100))
        history = (on(EARLIER, order(*once)), order(again))
        refused(history, bill(), BEFORE, TODAY, "what it bills", INVOICE)
        assert billed(history, bill(), TODAY) == 10


FORWARD = PolicyPublished(
    version=1, content=Company(kind="company", legal_name="Acme", functional_currency="EUR", number_dates="refuse")
)
ORDER_TWO = derive_id("test", "another document")


class TestNumbers:
    SERIES = series_id("INV", 2026)
    TAKEN = on(
        LATER, at(SERIES, NumberAssigned(series="INV", year=2026, sequence=1, number="INV-2026-000001", document_id=QUOTE))
    )
    DELIVERED = order(placed(), delivered((1, "10", "100")))

    def test_policy_has_numbers_refused_that_go_back_in_date(self) -> None:
        history = (FORWARD, self.TAKEN, self.DELIVERED)
        given(*history).when(bill(), subject=INVOICE).then(
            NumberDatedTooEarly, field="effective_on", message=f"{TODAY} is before {LATER}", fix="number_dates = warn"
        )
        assert given(*history).when(bill(), subject=INVOICE, on=LATER).events
        other = bill().model_copy(update={"series": "LATE"})
        assert given(*history).when(other, subject=INVOICE).events

    def test_else_a_warning_is_kept_with_the_number(self) -> None:
        told = given(self.TAKEN, self.DELIVERED).when(bill((1, "1")), subject=INVOICE)
        assert (told.events[0].number, told.events[0].dated_before) == ("INV-2026-000002", LATER)
        third = told.when(bill((1, "1")), subject=CREDIT_NOTE).events[0]
        assert (third.number, third.dated_before) == ("INV-2026-000003", LATER)
        forward = told.when(bill((1, "1")), subject=ORDER_TWO, on=LATER).events[0]
        assert (forward.number, forward.dated_before) == ("INV-2026-000004", None)

    def test_documents_are_numbered_by_the_fiscal_year(self) -> None:
        july = Company(kind="company", legal_name="Acme", functional_currency="EUR", fiscal_year_starts=7)
        policy = PolicyPublished(version=1, content=july)
        assigned = given(policy, self.DELIVERED).when(bill(), subject=INVOICE).events[0]
        assert (assigned.number, assigned.year) == ("INV-2025-000001", 2025)


CUSTOMER = CustomerRegistered(profile=Profile(name="Acme", email="a@acme.example"), references={}, policy_version=0)
RENEWED = ContractRenewed(was=date(2026, 12, 31), ends_on=date(2027, 12, 31), value=Decimal(1), currency="EUR")
PRICES = price_book()
OTHERS: dict[str, Case] = {
    "contact": Case((CUSTOMER,), AddContact(contact_id=SUBJECT, name="Bob")),
    "profile": Case((CUSTOMER,), UpdateProfile(profile=Profile(name="Acme AG"))),
    "reference": Case((CUSTOMER,), LinkReference(system="crm", reference="1")),
    "launch": Case((PLANNED,), LaunchCampaign()),
    "cost": Case((PLANNED,), SPEND),
    "close": Case((*early(PLANNED), CampaignLaunched()), CloseCampaign(reason="over")),
    "flag": Case((SIGNED,), FlagRenewal()),
    "renew": Case((*early(SIGNED), RENEWED), RenewContract(ends_on=date(2028, 12, 31))),
    "terminate": Case((*early(SIGNED), RENEWED), TerminateContract(ends_on=date(2027, 6, 30), reason="moved")),
    "sign for a deal": Case((at(OPPORTUNITY, opened()),), SIGN.model_copy(update={"opportunity_id": OPPORTUNITY})),
    "sign for a quote": Case((at(QUOTE, drafted()),), SIGN.model_copy(update={"quote_id": QUOTE})),
    "sign for an order": Case((order(placed()),), SIGN.model_copy(update={"order_id": ORDER})),
    "price book": Case(
        (at(BOOK, PRICES),), PublishPriceBook(title=PRICES.title, currency="EUR", items=PRICES.items), subject=BOOK
    ),
    "policy": Case((RECORD,), PublishPolicy(content=BusinessDates(kind="business_dates"))),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_selling_does_not_touch_is_never_dated_before_what_it_acts_on(name: str) -> None:
    case = OTHERS[name]
    history = case.history if name == "policy" else (RECORD, *case.history)
    given(*history).when(case.command, subject=case.subject, on=BEFORE).then(
        DatedTooEarly, field="effective_on", message=f"{BEFORE} is before {TODAY}", fix=str(TODAY)
    )


def test_every_command_that_acts_on_something_is_among_the_cases() -> None:
    """A new command of these nouns needs a case here, or a reason why it acts on nothing."""
    covered = {type(case.command).type for case in (*SELLING.values(), *OTHERS.values())}
    covered |= {one.type for one in (PlaceOrder, ReportDelivery, ShipOrder, AmendOrder, CancelOrder)}
    nouns = ("lead", "opportunity", "quote", "order", "contract", "campaign", "customer", "policy", "price_book")
    begins = {"lead.capture.v1", "opportunity.open.v1", "campaign.plan.v1", "customer.register.v1"}
    assert {name for name in COMMANDS if name.partition(".")[0] in nouns} == covered | begins
