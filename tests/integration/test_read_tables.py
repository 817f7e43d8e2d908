"""Every read table holds what its specification says, also when events come twice, and when it is built anew."""

import pytest
from tests.tables import billing, cash, customers, finding, leads, ordering, selling
from tests.tables.specification import Specification, check

from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.store import Database, EventStore

SPECIFICATIONS: tuple[Specification, ...] = (
    *customers.SPECIFICATIONS,
    *leads.SPECIFICATIONS,
    *selling.SPECIFICATIONS,
    *ordering.SPECIFICATIONS,
    *billing.SPECIFICATIONS,
    *cash.SPECIFICATIONS,
    *finding.SPECIFICATIONS,
)


@pytest.mark.parametrize("specification", SPECIFICATIONS, ids=lambda one: one.table.table)
def test_a_table_holds_what_is_specified(specification: Specification, database: Database, event_store: EventStore) -> None:
    check(specification, database, event_store)


def test_every_table_is_specified() -> None:
    specified = {one.table for one in SPECIFICATIONS}
    missing = [one.table for one in PROJECTIONS if one not in specified]
    assert not missing, f"{missing} have no specification: state in tests/tables what they hold after some events"


def test_every_event_that_a_table_handles_is_in_a_specification_of_it() -> None:
    shown = {(one.table, type(happened.event)) for one in SPECIFICATIONS for happened in one.events}
    missing = [
        f"{table.table}: {event.type}"
        for table in PROJECTIONS
        if table is not Timeline  # one handler for all
        for event in table.handlers
        if (table, event) not in shown
    ]
    assert missing == []
