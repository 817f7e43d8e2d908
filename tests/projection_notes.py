"""Bills of customers whose notes cannot all be read, and a read table of them with each of the ways to go on."""

from collections.abc import Iterator
from decimal import Decimal

from tests.projection_samples import NOON, TODAY, Billed, number, rows

from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.schemas.record import Record
from ltc_events.store import Database, NewEvent

TABLE = Build("notes", 1, 0)


class Notes(Projection):
    """The notes of a customer's bills in their order, and how many bills that were; one row per customer."""

    table, version, key = "notes", 1, ("customer_id",)
    columns = {
        "customer_id": column("uuid", "the customer"),
        "last": column("text", "note of the last bill"),
        "bills": column("int4", "how many bills", default="0"),
        "total": column("numeric", "what they come to", default="0"),
    }
    checks = {"small": "NEW.total < 1000"}

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        customer = record.customer_id or record.subject
        yield Add(customer, bills=1, total=event.amount)
        if event.note == "break":
            raise RuntimeError("I cannot read this note")
        yield Put(customer, last=event.note)


class Mended(Notes):
    """The same, with all notes readable."""

    table, version, on_failure = "notes", 1, "park"

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        customer = record.customer_id or record.subject
        yield Add(customer, bills=1, total=event.amount)
        yield Put(customer, last=event.note)


class Skipping(Notes):
    """The same, without what cannot be read."""

    table, version, on_failure = "notes", 1, "skip"


class Parking(Notes):
    """The same, without customers of whom something cannot be read."""

    table, version, on_failure = "notes", 1, "park"


streams = iter(range(10**9, 10**12, 10))


def bill(customer: int, note: str, amount: int = 1) -> NewEvent:
    """A bill of a customer, each a stream of its own."""
    stream, command = number(next(streams)), number(next(streams))
    event = Billed(amount=Decimal(amount), note=note)
    return NewEvent(stream, 1, event, number(customer), NOON, TODAY, command, command, command, "tests")


def catch_up(database: Database, projection: type[Projection]) -> None:
    """Bring the table to the head."""
    with open_runner(database, [projection]) as runner:
        runner.catch_up()


def seen(connection: Connection, table: str = "notes") -> dict[int, tuple[str, int]]:
    """Of each customer the last note, and how many bills."""
    return {row[0].int: row[1:3] for row in rows(connection, table)}
