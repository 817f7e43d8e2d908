"""A read table that cannot go on stops alone, says where and why, and goes on once it is mended."""

from collections.abc import Sequence
from decimal import Decimal

import psycopg
import pytest
from structlog.testing import capture_logs
from tests.builds import status
from tests.projection_samples import ALL, Billed, Bills, Fragile, append, bill, payment, rows, void

from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Add, Operation, Projection, on
from ltc_events.projections.following.store_runner import Runner, open_runner
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role

pytestmark = pytest.mark.usefixtures("sample_events")


@pytest.mark.parametrize("page_events", [1, 3, 100])
def test_a_projection_that_cannot_take_an_event_in_stops_alone(
    database: Database, event_store: EventStore, reader: Connection, projector: Connection, page_events: int, log: EventStore
) -> None:
    append(event_store, bill(1, "1"), bill(2, "2"), bill(3, "3", "break"), bill(4, "4"))
    runner = Runner(log, [projector], ALL, page_events=page_events)
    runner.catch_up()
    assert rows(reader, "fragile")[0][1] == 2  # what came before it is in
    stopped = status(database, "fragile")
    assert (stopped.state, stopped.position, stopped.failed_position) == ("failed", 2, 3)
    assert stopped.failed_event == "sample.billed.v1"
    assert stopped.error == "RuntimeError: I cannot read this note"
    assert stopped.lag_events == 2
    assert stopped.lag_seconds > 0
    head = append(event_store, bill(5, "5"))
    runner.catch_up()
    assert [(one.name, one.state, one.position) for one in projection_status(database)] == [
        ("bills", "live", head),
        ("fragile", "failed", 2),
        ("ledger", "live", head),
    ]


def test_one_that_stops_names_the_command_it_stopped_at(
    database: Database, event_store: EventStore, projector: Connection, log: EventStore
) -> None:
    append(event_store, bill(1, "1"), bill(2, "2", "break"))
    with capture_logs() as logs:
        Runner(log, [projector], ALL).catch_up()
    (told,) = [one for one in logs if one["event"] == "projection_stopped"]
    (record,) = event_store.read_raw(1, 1)
    assert (told["table"], told["position"], told["log_level"]) == ("fragile", 2, "error")
    assert told["command_id"] == str(record.command_id)
    assert (told["correlation_id"], told["causation_id"]) == (str(record.correlation_id), str(record.causation_id))


def test_a_mended_projection_goes_on_where_it_stopped(database: Database, event_store: EventStore, reader: Connection) -> None:
    class Mended(Projection):
        """Counts bills."""

        table, version, key, columns = Fragile.table, Fragile.version, Fragile.key, Fragile.columns

        @on(Billed)
        def billed(self, event: Billed, record: Record) -> Sequence[Operation]:
            return (Add(record.effective_on, bills=1),)

    head = append(event_store, bill(1, "1"), bill(2, "2", "break"), bill(3, "3"))
    for projection in (Fragile, Mended):
        with open_runner(database, [projection]) as runner:
            runner.catch_up()
    assert rows(reader, "fragile")[0][1] == 3
    mended = status(database, "fragile")
    assert (mended.state, mended.position, mended.failed_position, mended.error) == ("live", head, None, None)


@pytest.mark.parametrize("page_events", [1, 100])
def test_rows_that_the_database_refuses_stop_their_projection_alone(
    database: Database, event_store: EventStore, reader: Connection, projector: Connection, page_events: int, log: EventStore
) -> None:
    """An entry that does not balance, and a payment beyond the bill: each names its event."""
    head = append(
        event_store, bill(1, "1"), bill(2, "2", "unbalanced"), bill(3, "3"), payment(3, "2.50"), payment(3, "1"), bill(4, "4")
    )
    Runner(log, [projector], ALL, page_events=page_events).catch_up()
    ledger, bills = status(database, "ledger"), status(database, "bills")
    assert (ledger.state, ledger.failed_position, ledger.position) == ("failed", 2, 1)
    assert "an entry of ltc_read.ledger__v1 does not add up to zero" in str(ledger.error)
    assert '"position": 2' in str(ledger.error)
    assert (bills.state, bills.failed_position, bills.failed_event) == ("failed", 5, "sample.paid.v1")
    assert "breaks its check not_overpaid" in str(bills.error)
    assert status(database, "fragile").position == head
    assert [row[:2] for row in rows(reader, "ledger")] == [(1, 1), (1, 2)]
    assert rows(reader, "bills")[2][2:4] == (Decimal(3), Decimal("2.50"))


def test_trouble_of_the_database_is_not_a_failure_of_the_projection(
    database: Database, event_store: EventStore, projector: Connection, reader: Connection, log: EventStore
) -> None:
    append(event_store, bill(1, "1"))
    runner = Runner(log, [projector], [Bills])
    projector.execute("SET lock_timeout = '100ms'")
    with database.connect(Role.OWNER) as owner:
        owner.execute("LOCK TABLE ltc_read.bills__v1")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            runner.catch_up()
    assert (status(database, "bills").state, status(database, "bills").fault) == ("retrying", "retry")
    runner.catch_up()
    assert (status(database, "bills").state, len(rows(reader, "bills"))) == ("live", 1)


def test_an_event_that_cannot_be_decoded_stops_only_those_that_handle_it(database: Database, event_store: EventStore) -> None:
    append(event_store, bill(1, "1"), bill(2, "2"), void(1))
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("ALTER TABLE ltc.events DISABLE TRIGGER append_only")
        owner.execute("UPDATE ltc.events SET data = '{}' WHERE position = 3")
    head = append(event_store, bill(3, "3"))
    with open_runner(database, ALL) as runner:
        runner.catch_up()
    bills = status(database, "bills")
    assert (bills.state, bills.position, bills.failed_position, bills.failed_event) == ("failed", 2, 3, "sample.voided.v1")
    assert (status(database, "ledger").position, status(database, "fragile").position) == (head, head)
