"""given(events).when(command).then(events | refusal): what aggregates and rules do, without a store.

An event or a command stands for the stream `SUBJECT` (or, where it is a policy's, for that policy's); `at(id, …)` puts
events into another stream, and `of(customer, …)` gives what it holds to another customer.

    given(captured).when(ScreenLead(...)).then(LeadAccepted())
    given(captured, accepted).when(ConvertLead(...)).then(converted, at(OPPORTUNITY, opened))
    given().when(ScreenLead(...)).then(DoesNotExist)
    given(captured).when(command).then(MissingFields, field="need", message="needs need")
"""

from datetime import UTC, date, datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from tests.unit.memory_unit_of_work import MemoryUnitOfWork

from ltc_events.aggregates.policies import policy_id
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.dispatch import dispatch
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command, Event, MoneyEvent
from ltc_events.schemas.customer import CustomerRegistered, Profile
from ltc_events.schemas.order import OrderPlaced
from ltc_events.schemas.policy import PolicyPublished, PublishPolicy
from ltc_events.schemas.registry import COMPANY_NOUNS

SUBJECT = derive_id("test", "subject")
CUSTOMER = derive_id("test", "customer")
STRANGER = derive_id("test", "stranger")
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TODAY = NOW.date()


class Placed(NamedTuple):
    """Events with the stream and the customer they belong to."""

    id: UUID
    events: tuple[Event, ...]
    customer_id: UUID = CUSTOMER
    effective_on: date = TODAY


def at(id: UUID, *events: Event) -> Placed:
    """Events of another stream than the command's."""
    return Placed(id, events)


def of(customer_id: UUID, placed: Placed) -> Placed:
    """The same events as another customer's."""
    return placed._replace(customer_id=customer_id)


def on(day: date, placed: Event | Placed) -> Placed:
    """The same events with another business date than `TODAY`."""
    return _placed(placed)._replace(effective_on=day)


def given(*history: Event | Placed) -> "Specification":
    """What happened before, of a customer that is registered."""
    return Specification(history)


def given_nobody(*history: Event | Placed) -> "Specification":
    """What happened before, while nobody had registered `CUSTOMER`."""
    return Specification(history, is_registered=False)


class Specification:
    """What happened, what was asked, and what came of it."""

    def __init__(self, history: tuple[Event | Placed, ...], *, is_registered: bool = True) -> None:
        self._work = MemoryUnitOfWork(SUBJECT, CUSTOMER)
        self._refusal: Refused | None = None
        if is_registered:
            self._work.begin(CUSTOMER, CUSTOMER, TODAY)
            registered = CustomerRegistered(profile=Profile(name="Analytical Ltd"), policy_version=0)
            self._work.emit(AGGREGATES["customer"], CUSTOMER, registered)
        for placed in map(_placed, history):
            self._work.begin(placed.id, placed.customer_id, placed.effective_on)
            for event in placed.events:
                self._work.emit(AGGREGATES[_noun(event)], placed.id, event)

    def when(self, command: Command, *, subject: UUID | None = None, now: datetime = NOW, on: date | None = None) -> Self:
        """Decide a command at a moment (`now`), with a business date (`on`, else the date of the moment)."""
        assert self._refusal is None, f"an earlier command was refused: {self._refusal}"
        command = command.model_copy(update={"occurred_at": now, "effective_on": on or _business_date(command, now)})
        noun = _noun(command)
        target = subject or (policy_id(command.content.kind) if isinstance(command, PublishPolicy) else SUBJECT)
        self._work.begin(target, None if noun in COMPANY_NOUNS else CUSTOMER, command.effective_on)
        try:
            dispatch(command, self._work)
        except Refused as refusal:
            self._refusal = refusal
        return self

    def then(self, *expected: Event | Placed | type[Refused], field: str | None = None, message: str = "", fix: str = "") -> Self:
        """Hold the outcome against these events, in order, or this refusal: its field, and words of its message and fix."""
        if expected and isinstance(expected[0], type):
            self._then_refused(expected[0], field, message, fix)
            return self
        if self._refusal is not None:
            raise AssertionError(f"refused: {self._refusal}") from self._refusal
        wanted = [(placed.id, _acting_on_today(event)) for placed in map(_placed, expected) for event in placed.events]
        assert self._work.emitted == wanted
        return self

    @property
    def events(self) -> list[Any]:
        """What the last command emitted, for a look at a part of it."""
        if self._refusal is not None:
            raise AssertionError(f"refused: {self._refusal}") from self._refusal
        return [event for _, event in self._work.emitted]

    @property
    def placed(self) -> list[tuple[UUID, Any]]:
        """The same, each with the stream it belongs to."""
        return list(zip((id for id, _ in self._work.emitted), self.events, strict=True))

    def _then_refused(self, kind: type[Refused], field: str | None, message: str, fix: str) -> None:
        refusal = self._refusal
        assert refusal is not None, f"expected {kind.__name__}, but there were {self._work.emitted}"
        assert type(refusal) is kind, f"expected {kind.__name__}, but refused by {type(refusal).__name__}: {refusal}"
        assert refusal.fix, f"{kind.__name__} does not say what would make it right"
        assert field is None or refusal.refused_field == field
        assert message in refusal.message
        assert fix in refusal.fix


def _placed(item: Any) -> Placed:
    if isinstance(item, Placed):
        return item
    return Placed(policy_id(item.content.kind) if isinstance(item, PolicyPublished) else SUBJECT, (item,))


def _acting_on_today(event: Event) -> Event:
    """An expected event of money acts on what happened `TODAY`, unless it says otherwise: so does what is given."""
    if isinstance(event, OrderPlaced) and event.quote_id is event.opportunity_id is None:
        return event  # which comes from nothing
    if isinstance(event, MoneyEvent) and event.not_before is None:
        return event.model_copy(update={"not_before": TODAY})
    return event


def _noun(message: Event | Command) -> str:
    return message.type.partition(".")[0]


def _business_date(command: Command, now: datetime) -> date:
    return now.date() if command.effective_on == date.min else command.effective_on
