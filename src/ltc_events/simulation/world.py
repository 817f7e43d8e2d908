"""The simulated company's own memory: it decides its commands by the real rules, so that it knows what comes of them."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.rules.registry import RULES
from ltc_events.application.work import NotFound
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.catalogue import COMPANY_NOUNS
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.policy import PolicyPublished

S = TypeVar("S")
States = dict[UUID, Any]


Happened = tuple[UUID, Event]
"""An event, behind the stream it belongs to."""


class Books:
    """The states of one customer's aggregates, kept while they matter. Nothing here outlives its use."""

    __slots__ = ("invoices", "states")

    def __init__(self) -> None:
        self.states: States = {}
        self.invoices: list[UUID] = []

    def forget(self, id: UUID) -> None:
        """Drop an aggregate that no command will ever be sent to again."""
        self.states.pop(id, None)
        if id in self.invoices:
            self.invoices.remove(id)


class World:
    """The policies in force and the aggregates of the company."""

    def __init__(self) -> None:
        self.policies = Policies()
        self.company = Books()

    def decide(self, command: Command, subject: UUID, customer_id: UUID | None, books: Books) -> list[Happened]:
        """Decide a command and remember what it did. Raises `Refused`; then nothing has changed."""
        rule = RULES.get(type(command))
        if rule is not None:
            work = WorldWork(self, books, subject, customer_id)
            rule(command, work)
            work.finish()
            return work.emitted
        aggregate = AGGREGATES[command.type.partition(".")[0]]
        state = books.states.get(subject)
        events = aggregate.decide(state, command, self.policies)
        for event in events:
            state = aggregate.evolve(state, event)
        books.states[subject] = state
        return [(subject, event) for event in events]


class WorldWork:
    """One command at work (the `Work` of the rules). Nothing of it counts before `finish`."""

    __slots__ = ("_books", "_changed", "_invoices", "_shared", "_world", "customer_id", "emitted", "subject")

    def __init__(self, world: World, books: Books, subject: UUID, customer_id: UUID | None) -> None:
        self._world = world
        self._books = books
        self._changed: States = {}
        self._shared: set[UUID] = set()
        self._invoices: list[UUID] = []
        self.subject = subject
        self.customer_id = customer_id
        self.emitted: list[Happened] = []

    @property
    def policies(self) -> Policies:
        return self._world.policies

    def find(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        state: S | None = self._changed.get(id)
        if state is None:
            state = self._books.states.get(id)
        return self._world.company.states.get(id) if state is None else state

    def get(self, aggregate: Aggregate[S], id: UUID, field: str) -> S:
        state = self.find(aggregate, id)
        if state is None:
            raise NotFound(noun=aggregate.noun, id=id, at=field)
        return state

    def emit(self, aggregate: Aggregate[Any], id: UUID, *events: Event) -> None:
        state = self.find(aggregate, id)
        for event in events:
            state = aggregate.evolve(state, event)
            self.emitted.append((id, event))
            if isinstance(event, InvoiceIssued):
                self._invoices.append(id)
        self._changed[id] = state
        if aggregate.noun in COMPANY_NOUNS:
            self._shared.add(id)  # a customer's invoice advances the company's number series

    def invoices_of_customer(self) -> Sequence[UUID]:
        return [*self._books.invoices, *self._invoices]

    def finish(self) -> None:
        """Make what was emitted part of the world."""
        for id, state in self._changed.items():
            books = self._world.company if id in self._shared else self._books
            books.states[id] = state
        self._books.invoices.extend(self._invoices)
        for _, event in self.emitted:
            if isinstance(event, PolicyPublished):
                self._world.policies = self._world.policies.with_published(event)
