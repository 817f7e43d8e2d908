"""How fast the machine is at this moment, beside where the absolute targets were set: limits that are none of our code.

A machine of the same kind has half its speed at another hour. Who reads `NO` beside a figure per second sees here how much of
it is the machine's: the target times the pace is what the same work would have to reach now.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from statistics import median
from time import perf_counter
from uuid import UUID, uuid4

import psycopg
from kafka import KafkaProducer
from pydantic import BaseModel

from benchmarks import peer
from benchmarks.broker import new_bus, with_broker
from benchmarks.commands import Lives
from benchmarks.figure import Figure, against_peer
from benchmarks.place import Place
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.store import Role

COPIED = "pace: COPY of event rows, 500 a commit"
READ = "pace: rows of events into Python by a binary cursor"
CHECKED = "pace: pydantic, validate_json of nine fields"
SAVED = f"pace: {peer.NAME}, load, decide, save"
SENT = "pace: kafka-python, producing with six headers"
# Each as it was where the targets were set: two cores, PostgreSQL 18 with fsync. The peer's was 550 to 790.
SET_AT = {COPIED: 136_000.0, READ: 460_000.0, CHECKED: 196_000.0, SAVED: 670.0, SENT: 24_800.0}
UNITS = {COPIED: "rows/s", READ: "rows/s", CHECKED: "documents/s", SAVED: "commands/s", SENT: "messages/s"}

ROWS_A_COMMIT = 500
FETCHED = 5_000
_BODY = b"x" * 240
_TABLE = """
    CREATE TABLE pace (position bigint NOT NULL, stream_id uuid, version bigint, type text, data bytea, recorded_at timestamptz,
    PRIMARY KEY (stream_id, version));
    CREATE UNIQUE INDEX ON pace (position)
"""
_COPY = "COPY pace (position, stream_id, version, type, data, recorded_at) FROM STDIN"
_SELECT = "SELECT * FROM pace ORDER BY position"


class _Paid(BaseModel):
    payment_id: UUID
    customer_id: UUID
    invoice: str
    amount: Decimal
    fee: Decimal
    currency: str
    received_at: datetime
    method: str
    reference: str


_DOCUMENT = (
    b'{"payment_id": "019edefd-de40-79ca-aeac-df76070000de", "customer_id": "019e4495-9028-7cf4-9d9d-6594c900004c",'
    b' "invoice": "INV-2026-000123", "amount": "1234.56", "fee": "0.30", "currency": "EUR",'
    b' "received_at": "2026-03-01T12:34:56.789Z", "method": "transfer", "reference": "RF18 5390 0754 7034"}'
)


def measure(place: Place) -> Iterator[Figure]:
    """The limits, one after the other."""
    times = 1 if place.sizes.is_quick else 100
    database = place.bare_database()
    with database.connect(Role.OWNER, autocommit=True) as connection:
        connection.execute(_TABLE)
        yield _figure(COPIED, [_copied(connection, times) for _ in range(place.sizes.rounds)])
        place.settle()
        yield _figure(READ, [_read(connection) for _ in range(place.sizes.rounds)])
    checks = [_a_second(lambda: _Paid.model_validate_json(_DOCUMENT), 200 * times) for _ in range(place.sizes.rounds)]
    yield _figure(CHECKED, checks)
    with peer.open_receivables(place.bare_database()) as receivables:
        lives, commands = Lives(receivables), place.sizes.peer_commands
        yield _figure(SAVED, [commands / lives.seconds(commands) for _ in range(place.sizes.rounds)])
    yield from with_broker(place, {SENT: UNITS[SENT]}, lambda bootstrap: _over_kafka(place, bootstrap, 300 * times))


def _figure(name: str, rates: list[float]) -> Figure:
    return against_peer(name, UNITS[name], median(rates), "the machine when the targets were set", SET_AT[name])


def _copied(connection: psycopg.Connection[tuple[object, ...]], commits: int) -> float:
    began = perf_counter()
    found = connection.execute("SELECT coalesce(max(position), 0) FROM pace").fetchone()
    first = int(str(found[0])) if found else 0
    for number in range(commits):
        start = first + number * ROWS_A_COMMIT
        lines = [
            f"{start + row + 1}\t{uuid4()}\t1\tpayment.received.v1\t\\\\x{_BODY.hex()}\t2026-03-01 12:34:56+00\n"
            for row in range(ROWS_A_COMMIT)
        ]
        with connection.transaction(), connection.cursor() as cursor, cursor.copy(_COPY) as stream:
            stream.write("".join(lines))
    return commits * ROWS_A_COMMIT / (perf_counter() - began)


def _read(connection: psycopg.Connection[tuple[object, ...]]) -> float:
    began, rows = perf_counter(), 0
    with connection.transaction(), connection.cursor("pace", binary=True) as cursor:
        cursor.execute(_SELECT)
        while found := cursor.fetchmany(FETCHED):
            rows += len(found)
    return rows / (perf_counter() - began)


def _a_second(work: Callable[[], object], times: int) -> float:
    began = perf_counter()
    for _ in range(times):
        work()
    return times / (perf_counter() - began)


def _over_kafka(place: Place, bootstrap: str, messages: int) -> Iterator[Figure]:
    _produced(new_bus(bootstrap), messages // 10)  # a broker is slow at first
    yield _figure(SENT, [_produced(new_bus(bootstrap), messages) for _ in range(place.sizes.rounds)])


def _produced(bus: Bus, messages: int) -> float:
    producer = KafkaProducer(bootstrap_servers=bus.bootstrap, acks="all", enable_idempotence=True, linger_ms=5)
    headers = [(f"ce_{name}", b"0123456789abcdef") for name in ("id", "type", "source", "subject", "time", "specversion")]
    topic, key, value = bus.topic(EVENTS), [str(number).encode() for number in range(100)], b"y" * 300
    began = perf_counter()
    for number in range(messages):
        producer.send(topic, key=key[number % len(key)], value=value, headers=headers)
    producer.flush()
    seconds = perf_counter() - began
    producer.close()
    return messages / seconds
