"""An in-memory ledger for the simulation: decides commands by the rules of the ledger and keeps the resulting states."""

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.policies import Policies
from ltc_events.application.dispatch import dispatch
from ltc_events.application.unit_of_work import NotFound
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.policy import PolicyPublished
from ltc_events.schemas.registry import COMPANY_NOUNS

S = TypeVar("S")
States = dict[UUID, Any]


Happened = tuple[UUID, Event]
"""An event, behind the stream it belongs to."""


class Books:
    """The states of one customer's aggregates, as long as commands may still be sent to them."""

    __slots__ = ("begun", "states")

    def __init__(self) -> None:
        self.states: States = {}
        self.begun: dict[UUID, str] = {}
        """The streams that rules enumerate by customer, in the order of their creation, each with its noun."""

    def forget(self, id: UUID) -> None:
        """Drop an aggregate to which no further command is sent."""
        self.states.pop(id, None)
        self.begun.pop(id, None)


class InMemoryLedger:
    """The policies in force and the company's own aggregates."""

    def __init__(self) -> None:
        self.policies = Policies()
        self.company = Books()

    def decide(self, command: Command, subject: UUID, customer_id: UUID | None, books: Books) -> list[Happened]:
        """Decide a command, apply its events, and return them. Raises `Refused`; nothing has changed then."""
        work = SimulatedUnitOfWork(self, books, subject, customer_id, command.effective_on)
        dispatch(command, work)
        work.finish()
        return work.emitted


class SimulatedUnitOfWork:
    """The `UnitOfWork` of one command. Its events are applied by `finish`."""

    __slots__ = ("_begun", "_books", "_changed", "_ledger", "_shared", "customer_id", "effective_on", "emitted", "subject")

    def __init__(self, ledger: InMemoryLedger, books: Books, subject: UUID, customer_id: UUID | None, effective_on: date) -> None:
        self._ledger = ledger
        self._books = books
        self._changed: States = {}
        self._shared: set[UUID] = set()
        self._begun: dict[UUID, str] = {}
        self.effective_on = effective_on
        self.subject = subject
        self.customer_id = customer_id
        self.emitted: list[Happened] = []

    @property
    def policies(self) -> Policies:
        return self._ledger.policies

    def find(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        state: S | None = self._changed.get(id)
        if state is None:
            state = self._books.states.get(id)
        return self._ledger.company.states.get(id) if state is None else state

    def get(self, aggregate: Aggregate[S], id: UUID, field: str) -> S:
        state = self.find(aggregate, id)
        if state is None:
            raise NotFound(noun=aggregate.noun, id=id, at=field)
        return state

    def find_any(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        return self.find(aggregate, id)  # nobody here deals with the books of another customer

    def is_free(self, id: UUID) -> bool:
        return not any(id in states for states in (self._changed, self._books.states, self._ledger.company.states))

    def owner_of(self, id: UUID) -> UUID | None:
        return None if self.is_free(id) else self.customer_id

    def emit(self, aggregate: Aggregate[Any], id: UUID, *events: Event) -> None:
        state = self.find(aggregate, id)
        if state is None and events and aggregate.begins_with is not None:
            self._begun[id] = aggregate.noun
        for event in events:
            state = aggregate.evolve(state, event, self.effective_on)
            self.emitted.append((id, event))
        self._changed[id] = state
        if aggregate.noun in COMPANY_NOUNS:
            self._shared.add(id)  # a customer's invoice advances the company's number series

    def streams_of_customer(self, aggregate: Aggregate[Any]) -> Sequence[UUID]:
        return [id for id, noun in (self._books.begun | self._begun).items() if noun == aggregate.noun]

    def finish(self) -> None:
        """Apply the emitted events to the ledger."""
        for id, state in self._changed.items():
            books = self._ledger.company if id in self._shared else self._books
            books.states[id] = state
        self._books.begun |= self._begun
        for _, event in self.emitted:
            if isinstance(event, PolicyPublished):
                self._ledger.policies = self._ledger.policies.with_published(event)
