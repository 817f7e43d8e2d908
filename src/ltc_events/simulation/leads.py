"""How a lead goes: captured, screened, scored, assigned, answered, followed up, and converted or closed."""

from collections.abc import Generator
from datetime import timedelta
from typing import Final
from uuid import UUID

from ltc_events.kernel.money import round_to
from ltc_events.schemas.customer import AddContact, LinkReference, Profile, RegisterCustomer, UpdateProfile
from ltc_events.schemas.follow_up import (
    CompleteFollowUp,
    MissFollowUp,
    RecordFirstResponse,
    RecordResponseBreach,
    ScheduleFollowUp,
)
from ltc_events.schemas.lead import (
    AssignLead,
    Candidate,
    CaptureLead,
    ChangeTemperature,
    ConvertLead,
    DisqualifyLead,
    EvidenceKind,
    LeadDetail,
    Priority,
    QualifyLead,
    RecordLeadDetail,
    ScoreLead,
    ScreenLead,
    Temperature,
)
from ltc_events.simulation import deals, goods, names
from ltc_events.simulation.arrivals import Arrival
from ltc_events.simulation.company import campaign_id
from ltc_events.simulation.customer import Customer
from ltc_events.simulation.deals import Deal
from ltc_events.simulation.run import Process
from ltc_events.simulation.working_time import DAY, HOUR, MINUTE, at_work, moment

_MEDIA: Final = ("phone", "email", "video")
_RESULTS: Final = ("reached, still interested", "sent the data sheet", "call again next month", "agreed on a visit")
_AUTHORITIES: Final = ("decides", "influences", "none")
_PREFERENCES: Final = ("deliveries before noon", "calls on Tuesdays only", "invoices by e-mail", "spare parts in stock")
_COMES_BACK: Final = 25
"""Percent of customers that try again after a lead that led nowhere."""


class Lead:
    """A lead at work. `open` turns false when it is converted or closed; `due` is when a first response is."""

    __slots__ = ("due", "hot", "id", "open", "owner", "responded", "source")

    def __init__(self, id: UUID, arrival: Arrival, hot: bool) -> None:
        self.id = id
        self.source = arrival.source
        self.hot = hot
        self.open = True
        self.responded = False
        self.owner = ""
        self.due = 0


def life(customer: Customer) -> Process:
    """A customer from its first lead on."""
    chance = customer.chance
    yield from _introduce(customer)
    arrival = customer.arrival
    while True:
        lead = yield from _capture(customer, arrival)
        deal = yield from _work_on(customer, lead)
        if deal is not None:
            customer.run.begin(deals.pursue(customer, deal), customer.hours(3, 60))
            customer.run.begin(_keep_current(customer, deal.owner), customer.after(30, 160))
            return
        if not chance.percent(_COMES_BACK):
            return
        yield customer.after(30, 120)
        arrival = customer.next_arrival()


def _introduce(customer: Customer) -> Process:
    """The record of the customer begins with its first lead (R-24, R-26)."""
    chance = customer.chance
    profile = Profile(
        name=customer.company,
        industry=customer.industry,
        size=customer.size,
        country=customer.country,
        region=customer.region,
        phone=customer.phone,
        email=f"info@{customer.domain}",
        registration_number=f"{customer.country} {customer.number + 100_000}" if chance.percent(80) else None,
    )
    by = names.WEBSITE if customer.arrival.source.online else names.MARKETER
    customer.do(RegisterCustomer(profile=profile, references={"crm": f"C-{customer.number:06d}"}), customer.key, by)
    yield customer.moments(2, 40)
    if chance.percent(12):
        customer.do(LinkReference(system="erp", reference=f"{70_000_000 + customer.number}"), customer.key, "erp")
        yield customer.moments(5, 60)


def _keep_current(customer: Customer, owner: str) -> Process:
    """What is known of a customer grows old, and is put right now and then (R-27)."""
    chance = customer.chance
    while True:
        change = chance.below(3)
        if change == 0:
            profile = Profile(phone=customer.new_phone())
        elif change == 1:
            profile = Profile(website=f"https://www.{customer.domain}/{chance.pick(('de', 'en', 'shop'))}")
        else:
            profile = Profile(preferences=chance.pick(_PREFERENCES))
        customer.do(UpdateProfile(profile=profile), customer.key, owner)
        yield customer.after(60, 200)


def _capture(customer: Customer, arrival: Arrival) -> Generator[int, None, Lead]:
    """Somebody wants something (R-1, R-3, R-7)."""
    chance, source = customer.chance, arrival.source
    lead = Lead(customer.new_id(), arrival, chance.percent(source.hot))
    by = names.WEBSITE if source.online else chance.pick(names.SELLERS[customer.region])
    email = customer.email_of(customer.contact)
    campaign = None if arrival.campaign is None else campaign_id(customer.run, source.channel, arrival.campaign)
    command = CaptureLead(
        contact_name=customer.contact,
        company=customer.company,
        phone=customer.phone if chance.percent(70) else None,
        email=email,
        industry=customer.industry,
        need=chance.pick(names.NEEDS),
        channel=source.channel,
        origin=chance.pick(source.origins),
        campaign_id=campaign,
        source_activity=source.activity,
        captured_by=by,
        region=customer.region,
        priority=_priority(customer, lead),
        references={"form": f"F{customer.number:06d}"} if source.online else {},
    )
    if source.online and chance.permille(25):
        # The form let a misspelt address through; the visitor corrects it.
        customer.misspell(command, lead.id, by, "email", email.replace("@", " at "))
        yield customer.moments(30, 180)
    captured = customer.do(command, lead.id, by)[0]
    lead.due = int(captured.response_due_at.timestamp())
    customer.run.begin(_response_clock(customer, lead), lead.due + chance.between(30, 300))
    return lead


def _priority(customer: Customer, lead: Lead) -> Priority:
    if lead.hot:
        return Priority.URGENT if customer.chance.percent(15) else Priority.HIGH
    return Priority.LOW if lead.source.wins < -8 else Priority.NORMAL


def _response_clock(customer: Customer, lead: Lead) -> Process:
    """The clock looks once whether the first response came in time (R-17)."""
    if lead.open and not lead.responded:
        customer.do(RecordResponseBreach(), lead.id, names.CLOCK)
    yield from ()


def _work_on(customer: Customer, lead: Lead) -> Generator[int, None, Deal | None]:
    """From screening to the decision; the deal that comes of it, if one does."""
    chance = customer.chance
    yield customer.minutes(5, 60 if lead.hot else 600)
    if not (yield from _screen(customer, lead)):
        return None
    if chance.percent(55):
        yield customer.minutes(2, 40)
        detail = LeadDetail(
            pain_points=chance.pick(names.PAINS),
            features_of_interest=chance.pick(names.FEATURES) if chance.percent(60) else None,
            products=tuple(article.sku for article in chance.several(goods.ARTICLES, chance.between(0, 2))),
        )
        customer.do(RecordLeadDetail(detail=detail), lead.id, names.SCREENER)
    yield customer.minutes(1, 30)
    _score(customer, lead)
    yield customer.minutes(1, 60)
    _assign(customer, lead)
    yield from _respond(customer, lead)
    yield from _follow_up(customer, lead)
    return (yield from _decide(customer, lead))


def _screen(customer: Customer, lead: Lead) -> Generator[int, None, bool]:
    """The three tests (R-2)."""
    chance = customer.chance
    if chance.percent(lead.source.admitted):
        customer.do(ScreenLead(specific_customer=True, potential_intent=True, can_take_part=True), lead.id, names.SCREENER)
        return True
    failed, reason = chance.pick(names.REJECTIONS)
    tests = {test: test != failed for test in ("specific_customer", "potential_intent", "can_take_part")}
    customer.do(ScreenLead(**tests, reason=reason), lead.id, names.SCREENER)
    lead.open = False
    yield from ()
    return False


def _score(customer: Customer, lead: Lead) -> None:
    """Points by what is known (R-15)."""
    chance = customer.chance
    inputs = {
        "source": lead.source.channel.value,
        "company_size": customer.size,
        "need": "explicit" if lead.hot or chance.percent(40) else "implied",
        "industry": customer.industry,
    }
    if chance.percent(60):
        inputs["budget"] = chance.pick(("approved", "planned", "none"))
    if chance.percent(50):
        inputs["authority"] = chance.pick(_AUTHORITIES)
    customer.do(ScoreLead(inputs=inputs), lead.id, "scoring")


def _assign(customer: Customer, lead: Lead) -> None:
    """By rule among the sellers of the region, sometimes by hand (R-16)."""
    chance = customer.chance
    sellers = names.SELLERS[customer.region]
    if chance.percent(10):
        command = AssignLead(owner=chance.pick(sellers))
    else:
        command = AssignLead(
            candidates=tuple(
                Candidate(
                    owner=seller,
                    regions=(customer.region,),
                    open_leads=chance.between(0, 30),
                    idle_minutes=chance.between(0, 2000),
                )
                for seller in chance.several(sellers, 3)
            )
        )
    assigned = customer.do(command, lead.id, names.MANAGERS[customer.region])[0]
    lead.owner = assigned.owner


def _respond(customer: Customer, lead: Lead) -> Process:
    """The first response, mostly within the service level (R-17)."""
    chance = customer.chance
    now = customer.run.now
    slack = max(lead.due - now, 10 * MINUTE)
    most = max(10 * MINUTE, slack // 2)
    answered = at_work(now + min(chance.between(5 * MINUTE, most), chance.between(5 * MINUTE, most)))
    if answered > lead.due:
        answered = at_work(now + chance.between(2 * MINUTE, 10 * MINUTE))  # before the weekend, if that is still possible
    yield at_work(lead.due + chance.between(0, 2 * DAY)) if chance.percent(9) else answered
    customer.do(RecordFirstResponse(by=lead.owner, medium=chance.pick(_MEDIA)), lead.id, lead.owner)
    lead.responded = True
    yield customer.moments(60, 600)
    warmer = Temperature.HOT if lead.hot else Temperature.WARM
    reason = "asks for a demo" if lead.hot else "first contact"
    customer.do(ChangeTemperature(temperature=warmer, reason=reason), lead.id, lead.owner)


def _follow_up(customer: Customer, lead: Lead) -> Process:
    """Stay in touch at set times; now and then somebody forgets (R-18)."""
    chance = customer.chance
    for _ in range(chance.between(0 if lead.hot else 1, 3)):
        yield customer.minutes(3, 120)
        id = customer.new_id()
        due = customer.after(2, 14)
        schedule = ScheduleFollowUp(follow_up_id=id, due_at=moment(due), medium=chance.pick(_MEDIA), note="check the need")
        customer.do(schedule, lead.id, lead.owner)
        if chance.percent(14):
            yield due + chance.between(HOUR, 4 * HOUR)
            customer.do(MissFollowUp(follow_up_id=id), lead.id, names.CLOCK)
            if chance.percent(40):
                continue
            yield customer.after(1, 3)
        else:
            yield at_work(due - chance.between(0, HOUR))
        customer.do(CompleteFollowUp(follow_up_id=id, result=chance.pick(_RESULTS)), lead.id, lead.owner)


def _decide(customer: Customer, lead: Lead) -> Generator[int, None, Deal | None]:
    """Qualify and convert, or close (R-21)."""
    chance = customer.chance
    yield customer.after(1, 12)
    if not chance.percent(lead.source.qualified + (15 if lead.hot else 0)):
        customer.do(DisqualifyLead(reason=chance.pick(names.DISQUALIFICATIONS)), lead.id, lead.owner)
        lead.open = False
        return None
    deal = Deal(customer.new_id(), lead.owner, goods.basket(chance, customer.size))
    deal.estimate(customer)
    if chance.percent(40):
        person = f"{chance.pick(names.FIRST_NAMES)} {chance.pick(names.SURNAMES)}"
        contact = AddContact(contact_id=customer.new_id(), name=person, role="purchasing", email=customer.email_of(person))
        customer.do(contact, customer.key, lead.owner)
        yield customer.minutes(5, 50)
    budget = round_to(deal.amount, goods.HUNDRED_EUROS) if chance.percent(60) else None
    qualify = QualifyLead(
        need=chance.pick(names.NEEDS),
        budget=budget,
        currency=None if budget is None else goods.CURRENCY,
        authority=chance.pick(_AUTHORITIES),
        time_frame=chance.pick(("this quarter", "next quarter", "this year")),
    )
    customer.do(qualify, lead.id, lead.owner)
    yield customer.after(0, 4)
    plan = chance.percent(35)
    convert = ConvertLead(
        opportunity_id=deal.id,
        evidence=EvidenceKind.INVESTMENT_PLAN if plan else EvidenceKind.INTENT_TO_BUY,
        evidence_note="stands in this year's investment plan" if plan else "asked for a quote in writing",
        can_take_part=True,
        title=deal.title(customer),
        amount=deal.amount,
        currency=goods.CURRENCY,
        expected_close_on=customer.today + timedelta(days=chance.between(20, 90)),
    )
    customer.do(convert, lead.id, lead.owner)
    lead.open = False
    customer.books.forget(lead.id)
    return deal
