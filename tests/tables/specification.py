"""given(events).then(table, rows): what a read table holds after these events, on a real database.

    given(at("lead 1", captured), at("lead 1", LeadAccepted(), on="2026-01-06")).then(
        LeadSteps,
        '''
        position | lead_id | step     | policy_version
        1        | lead 1  | captured | 2
        2        | lead 1  | accepted |
        ''',
    )

What has an id is called by a name. The first event has position 1; all are of customer Acme unless they say otherwise, happen
at noon UTC of their business date and are recorded in one commit.

The rows, in the order of the key, state every column: one that is left out, or empty, is null or what the column's default
says. Where a row has a position, what it has from that event need not be stated: its times, business date, customer, type, and
what it is not dated before. Amounts stand without idle zeros, dates and times as ISO has them, JSON compact with its keys
sorted. A table of few rows and many columns may be turned: `row` is the head of its first line then, and each further line a
column.

`check` delivers the events as a topic does, every one twice: with the one before it, and with the one after it; then all of them
once more to a projector that begins anew; and then builds the table anew from the store. The rows are the same each time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import orjson
from psycopg import sql
from psycopg.rows import dict_row
from tests.small_company import NOON, id_of

from ltc_events.projections.catalog.event_source import Source
from ltc_events.projections.declaration.names import Connection, relation
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.partition_runner import PartitionRunner
from ltc_events.projections.following.partition_track import Arrivals
from ltc_events.projections.following.source_switch import hand_over
from ltc_events.projections.rebuilding.rebuild import rebuild
from ltc_events.schemas.base import Event
from ltc_events.schemas.record import Record
from ltc_events.store import Commit, Database, EventStore, NewEvent, Role

DAY = "2026-01-05"
TOPIC = Source("ltc.events", 1)
Row: TypeAlias = Mapping[str, str]
"""The texts of the columns that are neither null nor default."""
TURNED = "row"


class Happened(NamedTuple):
    """An event of the stream of this name, of a customer or of the company."""

    name: str
    event: Event
    on: date
    customer: str | None


class Specification(NamedTuple):
    """After these events the table has these rows, and no others."""

    table: type[Projection]
    events: tuple[Happened, ...]
    rows: tuple[Row, ...]


class _Given(NamedTuple):
    events: tuple[Happened, ...]

    def then(self, table: type[Projection], rows: str) -> Specification:
        """The rows of the table, in the order of its key."""
        lines = [[cell.strip() for cell in line.split("|")] for line in rows.strip().splitlines()]
        head, *others = list(zip(*lines, strict=True)) if lines[0][0] == TURNED else lines
        names = list(head)[head[0] == TURNED :]
        stated = (one[head[0] == TURNED :] for one in others)
        return Specification(table, self.events, tuple(dict(zip(names, one, strict=True)) for one in stated))


def at(name: str, *events: Event, on: str = DAY, customer: str | None = "Acme") -> list[Happened]:
    """Events of one stream and business date; `customer` None: they belong to the company."""
    return [Happened(name, event, date.fromisoformat(on), customer) for event in events]


def given(*happened: Iterable[Happened]) -> _Given:
    """What happened, in the order in which it was recorded."""
    return _Given(tuple(one for several in happened for one in several))


def check(specification: Specification, database: Database, store: EventStore) -> None:
    """Hold a specification against the engine; raises AssertionError."""
    table = specification.table
    records = _recorded(store, specification.events)
    recorded_at = records[0].recorded_at

    def holds(connection: Connection, relation_name: str, when: str) -> None:
        order = sql.SQL(", ").join(map(sql.Identifier, table.key))
        query = sql.SQL("SELECT * FROM {} ORDER BY {}").format(relation(relation_name), order)
        with connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(query).fetchall()
        wanted = [_whole(specification, one, recorded_at) for one in specification.rows]
        told = [
            {name: _text(value, stated.get(name, "")) for name, value in one.items()}
            for one, stated in zip_longest(found, wanted[: len(found)], fillvalue={})
        ]
        assert told == wanted, f"{table.table}, {when}"

    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        hand_over(connection, [table], TOPIC, {0: 0}, 0)
        twice = [records[max(place - 1, 0) : place + 1] for place in range(len(records) + 1)]
        for deliveries, when in ((twice, "each event delivered twice"), ([records], "all events delivered once more")):
            _deliver(connection, table, deliveries)
            holds(connection, table.table, when)
        build = rebuild(database, table, by="test", reason="specification", anew=True)
        holds(connection, build.physical, "built anew from the store")


def _recorded(store: EventStore, events: Sequence[Happened]) -> list[Record]:
    versions: Counter[str] = Counter()
    new = []
    for number, one in enumerate(events, 1):
        versions[one.name] += 1
        command_id = id_of(f"command {number}")
        customer_id = None if one.customer is None else id_of(one.customer)
        occurred_at = datetime.combine(one.on, NOON)
        trace = (command_id, command_id, command_id, "ann")
        new.append(NewEvent(id_of(one.name), versions[one.name], one.event, customer_id, occurred_at, one.on, *trace))
    store.append(Commit(events=new))
    return store.read(0, len(new))


def _deliver(connection: Connection, table: type[Projection], deliveries: Iterable[list[Record]]) -> None:
    runner = PartitionRunner([connection], [table], TOPIC)
    try:
        runner.begin([0])
        for records in deliveries:
            handled = [record for record in records if runner.concerns(record.event.type)]
            position = records[-1].position
            runner.take({0: Arrivals(handled, position, position)})
            runner.finish()
        assert not runner.unnoted()
    finally:
        runner.close()


def _whole(specification: Specification, stated: Row, recorded_at: datetime) -> dict[str, str]:
    """A stated row with what it need not state."""
    table = specification.table
    unknown = stated.keys() - table.columns.keys()
    assert not unknown, f"{table.table} has no column {', '.join(unknown)}"
    whole = {name: (column.default or "").strip("'") for name, column in table.columns.items()}
    implied: dict[str, Any] = {"recorded_at": recorded_at}
    if stated.get("position"):
        event, on, customer = specification.events[int(stated["position"]) - 1][1:]
        implied |= {"effective_on": on, "occurred_at": datetime.combine(on, NOON), "customer_id": customer}
        implied |= {"event": event.type, "type": event.type}
        implied |= {name: getattr(event, name, None) for name in ("not_before", "dated_before")}
    whole |= {name: _text(value, "") for name, value in implied.items() if name in whole}
    return whole | {name: text for name, text in stated.items() if text}


def _text(value: Any, wanted: str) -> str:
    """A value as specifications state it; of an id the name, where it is the wanted one."""
    match value:
        case None:
            return ""
        case UUID():
            return wanted if value == id_of(wanted) else str(value)
        case Decimal():
            return f"{value.normalize():f}"
        case bool():
            return str(value).lower()
        case datetime():
            return value.astimezone(UTC).isoformat(" ")
        case date():
            return value.isoformat()
        case dict() | list():
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return str(value)
