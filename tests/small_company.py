"""A small company for tests of read tables and reports: says what happened and when, straight into the event store.

No command decides anything here: a test states the events that it wants to see counted, with their dates, and knows the
figures by hand. `record` is all there is to it; the rest is shorthand for common events with believable defaults.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from ltc_events.kernel.ids import derive_id
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.runner import Result, run
from ltc_events.schemas.base import Event
from ltc_events.schemas.customer import CustomerRegistered, Profile
from ltc_events.schemas.follow_up import FirstResponseRecorded
from ltc_events.schemas.lead import (
    Channel,
    EvidenceKind,
    LeadAccepted,
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadQualified,
    Priority,
)
from ltc_events.schemas.opportunity import OpportunityOpened, OpportunityWon, StageChanged
from ltc_events.schemas.quote import AppliedDiscount, QuoteLine, QuotePriced
from ltc_events.store import Commit, Database, EventStore, NewEvent

PROBABILITIES = {"prospecting": 10, "qualification": 20, "needs_analysis": 30, "proposal": 50, "negotiation": 75}
RESPONSE_DUE = timedelta(hours=24)
NOON = time(12, tzinfo=UTC)


def id_of(name: str) -> UUID:
    """The id of the thing that a test calls by this name."""
    return derive_id("test", name)


class Company:
    """Things are called by names (`lead 1`); every name is a stream. Dates are ISO; times default to noon UTC."""

    def __init__(self, database: Database, store: EventStore) -> None:
        self.database = database
        self._store = store
        self._versions: Counter[str] = Counter()
        self._recorded = 0
        self._followed = False

    def record(
        self,
        name: str,
        *events: Event,
        on: str,
        at: str | None = None,
        customer: str | None = "Acme",
        actor: str = "test",
    ) -> int:
        """Record these events of `name` on a business date; returns the position of the last one.

        `at` is when they happened, ISO with or without a zone (default: noon of the date, UTC).
        """
        effective_on = date.fromisoformat(on)
        occurred_at = datetime.fromisoformat(at) if at else datetime.combine(effective_on, NOON)
        occurred_at = occurred_at.replace(tzinfo=occurred_at.tzinfo or UTC)
        new = []
        for event in events:
            self._versions[name] += 1
            self._recorded += 1
            command_id = derive_id("test", "command", str(self._recorded))
            customer_id = None if customer is None else id_of(customer)
            moment = (occurred_at, effective_on)
            trace = (command_id, command_id, command_id, actor)
            new.append(NewEvent(id_of(name), self._versions[name], event, customer_id, *moment, *trace))
        self._followed = False
        return self._store.append(Commit(events=new)) + len(new)

    def follow(self) -> None:
        """Let all read tables follow the log."""
        if not self._followed:
            with open_runner(self.database, PROJECTIONS) as runner:
                runner.catch_up()
            self._followed = True

    def report(
        self, name: str, *, as_of: str = "2026-12-31", known_at: int | datetime | str | None = None, **parameters: Any
    ) -> Result:
        """Run a report once the read tables have followed. A trailing underscore of a parameter's name is dropped (`from_`)."""
        self.follow()
        given = {key.rstrip("_"): value for key, value in parameters.items()}
        return run(self.database, name, as_of=as_of, known_at=known_at, parameters=given)

    def customer(self, name: str, *, on: str = "2026-01-01", **profile: Any) -> int:
        """Register a customer of this name."""
        event = CustomerRegistered(profile=Profile(name=name, **profile), policy_version=0)
        return self.record(name, event, on=on, customer=name)

    def capture(self, name: str, *, on: str, at: str | None = None, customer: str = "Acme", **fields: Any) -> int:
        """Capture a lead; a response is due after 24 hours."""
        occurred_at = datetime.fromisoformat(at).replace(tzinfo=UTC) if at else datetime.combine(date.fromisoformat(on), NOON)
        known: dict[str, Any] = {
            "channel": Channel.WEB_FORM,
            "priority": Priority.NORMAL,
            "company": customer,
            "contact_name": "Ada",
            "need": "pumps",
            "response_due_at": occurred_at + RESPONSE_DUE,
            "policy_version": 0,
            "response_policy_version": 0,
        }
        return self.record(name, LeadCaptured(**known | fields), on=on, at=at, customer=customer)

    def qualify(self, name: str, *, on: str, owner: str = "Olga", customer: str = "Acme") -> int:
        """Take a captured lead through accepted, assigned, contacted (in time) and qualified, all on one day."""
        return self.record(
            name,
            LeadAccepted(),
            LeadAssigned(owner=owner, rule="manual", rule_version=0),
            FirstResponseRecorded(by=owner, in_time=True),
            LeadQualified(need="pumps"),
            on=on,
            customer=customer,
        )

    def convert(self, name: str, deal: str, *, on: str, customer: str = "Acme", **fields: Any) -> int:
        """Convert a lead into the opportunity `deal`."""
        evidence = LeadConverted(
            opportunity_id=id_of(deal), evidence=EvidenceKind.INTENT_TO_BUY, evidence_note="asked for a quote"
        )
        self.record(name, evidence, on=on, customer=customer)
        return self.open(deal, on=on, customer=customer, lead_id=id_of(name), **fields)

    def open(self, deal: str, *, on: str, customer: str = "Acme", amount: str = "1000", **fields: Any) -> int:
        """Open an opportunity in the first stage."""
        known: dict[str, Any] = {
            "title": deal,
            "amount": Decimal(amount),
            "currency": "EUR",
            "stage": "prospecting",
            "probability": Decimal(10),
            "channel": Channel.WEB_FORM,
            "owner": "Olga",
            "policy_version": 0,
        }
        return self.record(deal, OpportunityOpened(**known | fields), on=on, customer=customer)

    def move(self, deal: str, came_from: str, stage: str, *, on: str, customer: str = "Acme") -> int:
        """Move an opportunity to another stage, either way."""
        stages = list(PROBABILITIES)
        event = StageChanged(
            from_stage=came_from,
            stage=stage,
            probability=Decimal(PROBABILITIES[stage]),
            backward=stages.index(stage) < stages.index(came_from),
            policy_version=0,
        )
        return self.record(deal, event, on=on, customer=customer)

    def win(self, deal: str, *, on: str, amount: str = "1000", currency: str = "EUR", customer: str = "Acme") -> int:
        """Win an opportunity."""
        event = OpportunityWon(from_stage="prospecting", amount=Decimal(amount), currency=currency, reason="trusted")
        return self.record(deal, event, on=on, customer=customer)


def priced(
    *lines: QuoteLine, requested_by: str = "Olga", currency: str = "EUR", revision: int = 1, approval: bool = False
) -> QuotePriced:
    """A pricing of these lines, with 20 % tax; its totals follow from them."""
    net = sum((line.net for line in lines), Decimal(0))
    listed = sum((line.list_amount for line in lines), Decimal(0))
    return QuotePriced(
        revision=revision,
        currency=currency,
        lines=lines,
        list_total=listed,
        discount_total=listed - net,
        net=net,
        tax=net / 5,
        gross=net + net / 5,
        discount_percent=max((line.list_amount - line.net) * 100 / line.list_amount for line in lines),
        approval_needed=approval,
        requested_by=requested_by,
        role="sales",
        price_book_version=1,
        matrix_version=0,
    )


def line(number: int, sku: str, quantity: str, list_price: str, discounts: Mapping[str, str] | None = None) -> QuoteLine:
    """A priced line with discounts as amounts by reason."""
    listed = Decimal(quantity) * Decimal(list_price)
    taken = tuple(AppliedDiscount(reason=reason, amount=Decimal(amount)) for reason, amount in (discounts or {}).items())
    return QuoteLine(
        line=number,
        sku=sku,
        description=sku,
        quantity=Decimal(quantity),
        list_price=Decimal(list_price),
        list_amount=listed,
        discounts=taken,
        net=listed - sum((one.amount for one in taken), Decimal(0)),
        tax_category="S",
        tax_rate=Decimal(20),
    )


def figures(result: Result, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of a report, reduced to these columns; decimals as text without idle zeros, so that they read like figures."""
    places = [[column.name for column in result.columns].index(name) for name in columns]
    return [tuple(_figure(row[place]) for place in places) for row in result.rows]


def _figure(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return value
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
