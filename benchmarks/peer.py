"""The peer: `eventsourcing` on PostgreSQL as its documentation shows it, with receivables like ours.

An aggregate lives through what an invoice of ours lives through. A command loads it, checks a rule, and saves it. Its events
have about as many fields as ours: identifiers, amounts as decimals, times.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import JSONTranscoder, Tracking, Transcoding
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from benchmarks.place import in_batches
from ltc_events.schemas.record import Record
from ltc_events.store import Database

NAME = "eventsourcing 9.5.6"
COMMANDS_EACH = 6
"""The commands of a receivable's life, the first included."""
BATCH = 500
BATCH_RECORDED = 50
"""More of the larger events at once, and the pipelined inserts of the library wait for ever."""


class Receivable(Aggregate):
    """What a customer owes on one invoice."""

    class Issued(Aggregate.Created):
        number: str
        customer_id: UUID
        order_id: UUID
        currency: str
        net: Decimal
        tax: Decimal
        due_at: datetime

    class Reminded(Aggregate.Event):
        level: int
        text: str
        by: str
        fee: Decimal

    class PaymentPromised(Aggregate.Event):
        amount: Decimal
        due_at: datetime
        by: str
        note: str

    class PaymentApplied(Aggregate.Event):
        payment_id: UUID
        amount: Decimal
        currency: str
        received_at: datetime
        by: str

    @event(Issued)
    def __init__(
        self, number: str, customer_id: UUID, order_id: UUID, currency: str, net: Decimal, tax: Decimal, due_at: datetime
    ) -> None:
        self.number = number
        self.customer_id = customer_id
        self.currency = currency
        self.open = net + tax
        self.due_at = due_at
        self.level = 0
        self.promised: Decimal | None = None

    @event(Reminded)
    def _reminded(self, level: int, text: str, by: str, fee: Decimal) -> None:
        self.level = level

    @event(PaymentPromised)
    def _promised(self, amount: Decimal, due_at: datetime, by: str, note: str) -> None:
        self.promised = amount

    @event(PaymentApplied)
    def _applied(self, payment_id: UUID, amount: Decimal, currency: str, received_at: datetime, by: str) -> None:
        self.open -= amount

    def remind(self, text: str, by: str) -> None:
        """Send the next reminder."""
        if not self.open:
            raise ValueError("nothing is open")
        self._reminded(self.level + 1, text, by, Decimal("10.00"))

    def promise(self, amount: Decimal, due_at: datetime, by: str) -> None:
        """Take note of a promise to pay."""
        if amount > self.open:
            raise ValueError(f"only {self.open} is open")
        self._promised(amount, due_at, by, "will pay in instalments")

    def apply(self, payment_id: UUID, amount: Decimal, received_at: datetime, by: str) -> None:
        """Put a payment against it."""
        if amount > self.open:
            raise ValueError(f"only {self.open} is open")
        self._applied(payment_id, amount, self.currency, received_at, by)


class Recorded(Aggregate.Event):
    """What one of our records says, as an event of the library's: the same facts with the same types."""

    customer_id: UUID | None
    occurred_at: datetime
    effective_on: date
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID
    actor: str
    data: dict[str, Any]


class DateAsISO(Transcoding):
    """A type that the library leaves to its users."""

    type = date
    name = "date_iso"

    def encode(self, obj: date) -> str:
        return obj.isoformat()

    def decode(self, data: str) -> date:
        return date.fromisoformat(data)


class Receivables(Application[UUID]):
    """One method a command: load, decide, save."""

    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        transcoder.register(DateAsISO())

    def issue(self, number: int) -> UUID:
        """Issue an invoice."""
        receivable = _issued(number)
        self.save(receivable)
        return receivable.id

    def go_on(self, id: UUID, step: int) -> None:
        """The next command of a receivable's life."""
        receivable: Receivable = self.repository.get(id)
        _go_on(receivable, step)
        self.save(receivable)


class OpenAmounts(PostgresTrackingRecorder):
    """A read table with one row per receivable, written with the position in one transaction, as the library has it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        table = sql.Identifier(self.datastore.schema, "open_amounts")
        self.sql_create_statements.append(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (id uuid PRIMARY KEY, number text, customer_id uuid, currency text,"
                " due_at timestamptz, invoiced numeric, paid numeric NOT NULL DEFAULT 0)"
            ).format(table)
        )
        self._insert = sql.SQL(
            "INSERT INTO {} (id, number, customer_id, currency, due_at, invoiced) VALUES (%s, %s, %s, %s, %s, %s)"
        ).format(table)
        self._pay = sql.SQL("UPDATE {} SET paid = paid + %s WHERE id = %s").format(table)

    def issued(self, event: Receivable.Issued, tracking: Tracking) -> None:
        """A new row."""
        gross = event.net + event.tax
        row = (event.originator_id, event.number, event.customer_id, event.currency, event.due_at, gross)
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._insert, row, prepare=True)

    def applied(self, event: Receivable.PaymentApplied, tracking: Tracking) -> None:
        """A payment on it."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._pay, (event.amount, event.originator_id), prepare=True)


class OpenAmountsProjection(Projection[OpenAmounts]):
    """Only events that move an amount are asked for, as ours does."""

    name = "open_amounts"
    topics = tuple(f"{__name__}:Receivable.{kind}" for kind in ("Issued", "PaymentApplied"))

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Take an event in."""

    @process_event.register
    def _(self, domain_event: Receivable.Issued, tracking: Tracking) -> None:
        self.view.issued(domain_event, tracking)

    @process_event.register
    def _(self, domain_event: Receivable.PaymentApplied, tracking: Tracking) -> None:
        self.view.applied(domain_event, tracking)


def environment(database: Database) -> dict[str, str]:
    """The settings that lead the library to a database."""
    info = conninfo_to_dict(database.conninfo)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(info["dbname"]),
        "POSTGRES_HOST": str(info["host"]),
        "POSTGRES_PORT": str(info.get("port") or 5432),
        "POSTGRES_USER": str(info["user"]),
        "POSTGRES_PASSWORD": str(info.get("password") or "none"),
    }


@contextmanager
def open_receivables(database: Database) -> Iterator[Receivables]:
    """The peer's application on a database."""
    application = Receivables(env=environment(database))
    try:
        yield application
    finally:
        application.close()


def fill(application: Receivables, receivables: int, reminders: int) -> int:
    """Store lives of receivables, each with four events that move amounts and so many reminders between them; their events.

    By the quickest way that the library has: many aggregates in one save.
    """
    each = 4 + reminders
    for numbers in in_batches(range(receivables), max(1, BATCH // each)):
        alive = [_issued(number) for number in numbers]
        for receivable in alive:
            for _ in range(reminders):
                _go_on(receivable, 1)
            for step in range(3, COMMANDS_EACH):
                _go_on(receivable, step)
        application.save(*alive)
    return receivables * each


def fill_with(application: Receivables, records: Iterable[Record]) -> None:
    """Store what our records say."""
    for batch in in_batches(records, BATCH_RECORDED):
        events = [
            Recorded(  # type: ignore[call-arg]  # the library makes a dataclass of it unseen by mypy
                originator_id=one.subject,
                originator_version=one.version,
                timestamp=one.recorded_at,
                customer_id=one.customer_id,
                occurred_at=one.occurred_at,
                effective_on=one.effective_on,
                command_id=one.command_id,
                correlation_id=one.correlation_id,
                causation_id=one.causation_id,
                actor=one.actor,
                data=one.event.model_dump(),
            )
            for one in batch
        ]
        application.recorder.insert_events([application.mapper.to_stored_event(event) for event in events])


def _issued(number: int) -> Receivable:
    due_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number % 365)
    return Receivable(f"INV-2026-{number:06}", uuid4(), uuid4(), "EUR", Decimal("1250.00"), Decimal("237.50"), due_at)


def _go_on(receivable: Receivable, step: int) -> None:
    now = datetime.now(UTC)
    if step == 1:
        receivable.remind("first reminder of an open invoice", "dunning/run")
    elif step == 2:
        receivable.promise(Decimal("500.00"), now + timedelta(days=7), "a.clerk@example.com")
    else:
        receivable.apply(uuid4(), Decimal("250.00"), now, "bank/statement")
