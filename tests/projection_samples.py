"""A few events and read tables of a tiny made-up business, for the tests of the projection engine.

The events are known to the store only inside `known_events()`, so that tests of the real catalogue never see them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from ltc_events.projections.declaration.projection import Add, Balance, Delete, Operation, Projection, Put, column, on
from ltc_events.schemas.base import EVENTS, Amount, Event
from ltc_events.schemas.record import Record
from ltc_events.store import Commit, EventStore, NewEvent
from ltc_events.store.decoding import DECODERS

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
TODAY = date(2025, 3, 1)
_numbers = count(1)


class Billed(Event):
    """A bill was sent."""

    amount: Amount
    note: str | None = None


class Paid(Event):
    """Money came in for a bill."""

    bill: UUID
    amount: Amount


class Voided(Event):
    """A bill was torn up."""

    bill: UUID


class Chatter(Event):
    """Something that no table cares about."""

    text: str = ""


SAMPLES: dict[str, type[Event]] = {
    "sample.billed.v1": Billed,
    "sample.paid.v1": Paid,
    "sample.voided.v1": Voided,
    "sample.chatter.v1": Chatter,
}
for _name, _event in SAMPLES.items():
    _event.type = _name


@contextmanager
def known_events() -> Iterator[None]:
    """Let the store know the sample events for a while."""
    EVENTS.update(SAMPLES)
    try:
        yield
    finally:
        for name in SAMPLES:
            del EVENTS[name]
            DECODERS.pop(name, None)


class Bills(Projection):
    """One row per bill that still counts."""

    table, version, key = "bills", 1, ("bill_id",)
    columns = {
        "bill_id": column("uuid", "the bill"),
        "note": column("text", "what is written on it"),
        "billed": column("numeric", "amount of the bill", default="0"),
        "paid": column("numeric", "what came in for it", default="0"),
        "payments": column("int4", "how many payments that were", default="0"),
        "last_position": column("int8", "last event that touched it"),
    }
    indexes = (("note",), ("billed", "paid"))
    checks = {"not_overpaid": "NEW.paid <= NEW.billed"}

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, billed=event.amount, note=event.note, last_position=record.position)

    @on(Paid)
    def paid(self, event: Paid, record: Record) -> Iterator[Operation]:
        yield Add(event.bill, paid=event.amount, payments=1)
        yield Put(event.bill, last_position=record.position)

    @on(Voided)
    def voided(self, event: Voided, record: Record) -> Sequence[Operation]:
        return (Delete(event.bill),)


class Ledger(Projection):
    """Lines of a double-entry journal."""

    table, version, key = "ledger", 1, ("position", "line")
    append_only = True
    columns = {
        "position": column("int8", "the event"),
        "line": column("int4", "line within its entry, from 1"),
        "account": column("text", "where the amount goes"),
        "amount": column("numeric", "debit positive, credit negative"),
        "details": column("jsonb", "whatever else is known"),
    }
    balanced = Balance(entry=("position",), amount="amount")

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        yield Put(record.position, 1, account="receivable", amount=event.amount, details={"amount": event.amount})
        # The note makes a bill that does not balance, for the tests that want one.
        yield Put(record.position, 2, account="revenue", amount=-event.amount + (1 if event.note == "unbalanced" else 0))

    @on(Paid)
    def paid(self, event: Paid, record: Record) -> Iterator[Operation]:
        yield Put(record.position, 1, account="cash", amount=event.amount)
        yield Put(record.position, 2, account="receivable", amount=-event.amount)


class Fragile(Projection):
    """Counts bills, and breaks on one that says so."""

    table, version, key = "fragile", 1, ("day",)
    columns = {"day": column("date", "business date"), "bills": column("int8", "how many", default="0")}

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        yield Add(record.effective_on, bills=1)
        if event.note == "break":
            raise RuntimeError("I cannot read this note")


ALL: tuple[type[Projection], ...] = (Bills, Ledger, Fragile)


def number(n: int) -> UUID:
    """The n-th UUID."""
    return UUID(int=n)


def bill(n: int, amount: str, note: str | None = None) -> NewEvent:
    """Bill number `n`."""
    return _new(number(n), Billed(amount=Decimal(amount), note=note))


def payment(n: int, amount: str) -> NewEvent:
    """A payment for bill `n`."""
    return _new(number(10**9 + next(_numbers)), Paid(bill=number(n), amount=Decimal(amount)))


def void(n: int) -> NewEvent:
    """Bill `n` is void."""
    return _new(number(10**9 + next(_numbers)), Voided(bill=number(n)))


def chatter(text: str = "") -> NewEvent:
    """An event that means nothing to the tables above."""
    return _new(number(10**9 + next(_numbers)), Chatter(text=text))


def _new(subject: UUID, event: Event) -> NewEvent:
    command = number(10**12 + next(_numbers))
    return NewEvent(subject, 1, event, None, NOON, TODAY, command, command, command, "tests")


def append(store: EventStore, *events: NewEvent) -> int:
    """Store these events; the position of the last one."""
    return store.append(Commit(events=list(events))) + len(events)


def story(store: EventStore) -> int:
    """Bills 1 to 9 with payments, one void, and talk in between."""
    return append(
        store,
        *(bill(n, f"{n}.50") for n in range(1, 10)),
        chatter(),
        payment(1, "1.00"),
        payment(1, "0.50"),
        payment(2, "2.00"),
        void(3),
        chatter(),
        payment(4, "4.50"),
        chatter(),
    )


def as_records(events: Sequence[NewEvent], first: int = 1) -> list[Record]:
    """The records that the store would hold, without a store."""
    return [
        Record(position, new.subject, new.version, new.event, new.customer_id, NOON, TODAY, NOON, *new[6:])
        for position, new in enumerate(events, first)
    ]


def rows(connection: Any, table: str) -> list[tuple[Any, ...]]:
    """All rows that a reader sees, in order."""
    return sorted(connection.execute(f"SELECT * FROM ltc_read.{table}").fetchall())
