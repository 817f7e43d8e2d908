"""A read table can be proved: folded afresh it is the same, and what somebody changed by hand is named."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.projection_samples import ALL, Billed, Bills, Fragile, Ledger, append, bill, chatter, number, payment, void

from ltc_events.projections.declaration.builds import parse_build
from ltc_events.projections.declaration.errors import FoldStopped, NoSuchBuild, NotInThisProgram
from ltc_events.projections.declaration.projection import Add, Operation, Projection, on
from ltc_events.projections.following.store_runner import Runner, open_runner
from ltc_events.projections.proving.compare import Difference
from ltc_events.projections.proving.digest import digest
from ltc_events.projections.proving.verify import Touch, verify
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role

pytestmark = pytest.mark.usefixtures("sample_events")


@pytest.fixture
def head(database: Database, event_store: EventStore) -> int:
    """A log of nine bills with what happened to them, and read tables that show it."""
    head = append(
        event_store,
        *(bill(n, f"{n}.50") for n in range(1, 10)),
        chatter(),
        payment(1, "1.00"),
        payment(1, "0.50"),
        payment(2, "2.00"),
        void(3),
        chatter(),
    )
    with open_runner(database, ALL) as runner:
        runner.catch_up()
    return head


def tamper(database: Database, statement: str, *values: Any) -> None:
    """Change a read table by hand, as the owner of the database can."""
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(statement.encode(), values)


@pytest.mark.parametrize("projection", ALL)
@pytest.mark.parametrize("page_events", [2, 1000])
def test_a_table_is_what_the_store_says(database: Database, head: int, projection: type[Projection], page_events: int) -> None:
    found = verify(database, projection, page_events=page_events)
    assert (found.equal, found.position, found.findings) == (True, head, [])
    assert found.comparison.rows[0] == found.comparison.rows[1] > 0
    shown = digest(database, projection)
    assert (shown.sha256, shown.position, shown.rows) == (found.digests[0], head, found.comparison.rows[0])


def test_a_cell_changed_by_hand_is_named(database: Database, head: int) -> None:
    before = digest(database, Bills)
    tamper(database, "UPDATE ltc_read.bills__v1 SET paid = 2.01 WHERE bill_id = %s", number(2))
    found = verify(database, Bills)
    assert not found.equal
    (finding,) = found.findings
    assert finding.difference == Difference({"bill_id": number(2)}, "", {"paid": (Decimal("2.01"), Decimal("2.00"))})
    assert finding.last == Touch(13, "sample.paid.v1")
    assert found.comparison.by_column == {"paid": 1}
    assert digest(database, Bills).sha256 == found.digests[0] != found.digests[1] == before.sha256
    tamper(database, "UPDATE ltc_read.bills__v1 SET paid = 2.000 WHERE bill_id = %s", number(2))
    assert verify(database, Bills).equal, "an amount is the same however many zeros are written"
    assert digest(database, Bills) == before


def test_rows_added_and_removed_by_hand_are_named(database: Database, head: int) -> None:
    tamper(database, "DELETE FROM ltc_read.bills__v1 WHERE bill_id = %s", number(5))
    tamper(database, "INSERT INTO ltc_read.bills__v1 (bill_id, billed) VALUES (%s, 7), (%s, 8)", number(3), number(77))
    found = verify(database, Bills)
    assert (found.comparison.only_left, found.comparison.only_right, found.comparison.changed) == (2, 1, 0)
    told = {one.difference.key["bill_id"].int: (one.difference.only_in, one.last) for one in found.findings}
    assert told == {
        3: ("left", Touch(14, "sample.voided.v1")),
        5: ("right", Touch(5, "sample.billed.v1")),
        77: ("left", None),
    }
    limited = verify(database, Bills, limit=1)
    assert (len(limited.findings), limited.comparison.only_left) == (1, 2)


def test_a_journal_is_proved_although_it_refuses_changes(database: Database, head: int) -> None:
    tamper(database, "ALTER TABLE ltc_read.ledger__v1 DISABLE TRIGGER ALL")
    tamper(database, "UPDATE ltc_read.ledger__v1 SET account = 'pocket' WHERE (position, line) = (11, 1)")
    (finding,) = verify(database, Ledger).findings
    assert finding.difference.columns == {"account": ("pocket", "cash")}
    assert finding.last == Touch(11, "sample.paid.v1")


def test_events_that_come_meanwhile_make_no_difference(database: Database, event_store: EventStore, head: int) -> None:
    """The table goes on while the store is folded: both are compared at the position that it has reached by then."""
    positions = []

    def go_on(position: int, upto: int) -> None:
        positions.append(position)
        append(event_store, payment(9, "0.10"))
        runner.catch_up()

    with open_runner(database, ALL) as runner:
        found = verify(database, Bills, page_events=3, report=go_on)
    assert len(positions) > 2
    assert (found.equal, found.position) == (True, head + len(positions))


def test_a_handler_that_changed_its_mind_is_found_out(database: Database, event_store: EventStore, head: int) -> None:
    class Twice(Projection):
        """Counts bills, but differently."""

        table, version, key, columns = Fragile.table, Fragile.version, Fragile.key, Fragile.columns

        @on(Billed)
        def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
            if event.note == "break":
                raise RuntimeError("no")
            yield Add(record.effective_on, bills=2)

    (finding,) = verify(database, Twice).findings
    assert finding.difference.columns == {"bills": (9, 18)}
    append(event_store, chatter(), bill(20, "1", "break"), bill(21, "1"))

    class Once(Twice):
        """Counts bills and takes everything."""

        table, version, key, columns = Fragile.table, Fragile.version, Fragile.key, Fragile.columns

        @on(Billed)
        def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
            yield Add(record.effective_on, bills=1)

    with open_runner(database, [Once]) as runner:
        runner.catch_up()
    assert verify(database, Once).equal
    with pytest.raises(FoldStopped, match=f"sample.billed.v1 at position {head + 2}: RuntimeError: no"):
        verify(database, Twice)


def test_only_what_there_is_can_be_verified(database: Database, head: int) -> None:
    with pytest.raises(NoSuchBuild):
        verify(database, Bills, parse_build("bills", "v1b3"))
    with pytest.raises(NotInThisProgram):
        verify(database, Bills, parse_build("bills", "v2"))
    with pytest.raises(NoSuchBuild):
        parse_build("bills", "newest")
    with pytest.raises(NoSuchBuild):
        digest(database, Bills, parse_build("bills", "v1b3"))


def test_the_same_store_gives_the_same_digests(server: Any, database: Database, head: int) -> None:
    """Another database, other batches: the tables have the same digests."""
    name = server.create()
    other = server.at(name)
    with database.connect(Role.OWNER) as source, other.connect(Role.OWNER) as target:
        target.execute("UPDATE ltc.head SET position = %s", (head,))
        with source.cursor().copy("COPY ltc.events TO STDOUT") as out, target.cursor().copy("COPY ltc.events FROM STDIN") as into:
            for row in out:
                into.write(row)
    with EventStore(other, Role.PROJECTOR) as log, other.connect(Role.PROJECTOR, autocommit=True) as connection:
        Runner(log, [connection], ALL, page_events=3).catch_up()
    for projection in ALL:
        assert digest(other, projection) == digest(database, projection)
    server.drop(name)


def test_all_read_tables_of_a_company_are_what_the_store_says(company: Database) -> None:
    with EventStore(company, Role.PROJECTOR) as store:
        head, _ = store.head()
    for projection in PROJECTIONS:
        found = verify(company, projection)
        assert (found.equal, found.position) == (True, head), projection.table
