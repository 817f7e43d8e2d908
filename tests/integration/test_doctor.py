"""`ltc doctor`: each thing that can be wrong with Kafka, the database and the workers is named with its fix."""

from uuid import uuid4

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from tests.broker import send, until
from tests.commands import register
from tests.e2e.test_cli import Ltc

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.inspection import inspect
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topic_creation import safety_of
from ltc_events.bus.topics import COMMANDS, EVENTS, TOPICS, Bus
from ltc_events.diagnosis import bus as bus_module
from ltc_events.diagnosis.bus import examine_bus
from ltc_events.diagnosis.check import CLOCK_SKEW_MAX_S, Check, skew
from ltc_events.diagnosis.database import examine_database
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, EventStore, Offset, Role
from ltc_events.workers.command import open_command_worker
from ltc_events.workers.relay import open_relay


def of_bus(bus: Bus, database: Database) -> dict[str, Check]:
    return {one.name: one for one in examine_bus(bus, database)}


def bad(checks: dict[str, Check]) -> set[str]:
    return {name for name, one in checks.items() if not one.healthy}


def test_a_cluster_as_it_should_be(bus: Bus, database: Database) -> None:
    checks = of_bus(bus, database)
    assert not bad(checks)
    assert checks["kafka"].detail.startswith("1 broker at")
    assert {f"topic {bus.topic(topic)}" for topic in TOPICS} < checks.keys()
    assert checks[f"topic {bus.topic(EVENTS)}"].detail == "3 partitions, kept for ever"
    assert checks[f"topic {bus.topic(COMMANDS)}"].detail == "3 partitions, kept 7 days"
    assert "s from ours" in checks["kafka's clock"].detail
    assert checks["command workers"].detail == "no messages wait"
    assert checks["relay"].detail == "no events wait"


def test_from_the_command_line(bus: Bus, database: Database) -> None:
    ltc = Ltc(LTC_DATABASE_URL=database.conninfo, LTC_KAFKA_BOOTSTRAP=bus.bootstrap, LTC_KAFKA_PREFIX="nobody")
    ltc("init")
    told = ltc.json("doctor", exits=1)
    wrong = {one["name"]: one["fix"] for one in told["checks"] if not one["healthy"]}
    assert wrong == {f"topic nobody.{topic.name}": "run `ltc init --kafka`" for topic in TOPICS}
    away = Ltc(LTC_DATABASE_URL=database.conninfo, LTC_KAFKA_BOOTSTRAP="127.0.0.1:1")
    (kafka,) = [one for one in away.json("doctor", exits=1)["checks"] if one["name"] == "kafka"]
    assert not kafka["healthy"]
    assert "127.0.0.1:1" in kafka["detail"]
    assert "LTC_KAFKA_BOOTSTRAP" in kafka["fix"]


def test_topics_that_would_lose_or_refuse_messages(bus: Bus, database: Database) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap)
    try:
        harmful = {
            bus.topic(EVENTS): {"retention.ms": "1000", "cleanup.policy": "compact", "max.message.bytes": "1000"},
            bus.topic(COMMANDS): {"retention.ms": "1000", "max.message.bytes": "1048588"},
        }
        admin.alter_configs([ConfigResource("TOPIC", name, configs=settings) for name, settings in harmful.items()])
        until(lambda: len(bad(of_bus(bus, database))) == 2)
    finally:
        admin.close()
    checks = of_bus(bus, database)
    events, commands = checks[f"topic {bus.topic(EVENTS)}"], checks[f"topic {bus.topic(COMMANDS)}"]
    assert events.fix.endswith("--add-config retention.ms=-1,cleanup.policy=delete,max.message.bytes=16777216")
    assert events.detail == "retention.ms is 1000; cleanup.policy is compact; max.message.bytes is 1000"
    assert commands.fix.endswith("--add-config retention.ms=604800000,max.message.bytes=16777216")


@pytest.mark.parametrize(("brokers", "replicas", "in_sync"), [(0, 1, 1), (1, 1, 1), (2, 2, 1), (3, 3, 2), (12, 3, 2)], ids=str)
def test_what_is_safe_with_so_many_brokers(brokers: int, replicas: int, in_sync: int) -> None:
    assert safety_of(brokers) == (replicas, in_sync)


def test_topics_say_how_safe_they_are(bootstrap: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    line = Ltc(LTC_DATABASE_URL=database.conninfo, LTC_KAFKA_BOOTSTRAP=bootstrap, LTC_KAFKA_PREFIX=f"r{uuid4().hex[:8]}")
    bus = Bus(bootstrap, line.environment["LTC_KAFKA_PREFIX"])
    told = line.json("init", "--kafka", "--replication-factor", "3", exits=1)
    assert told["error"]["code"] == "too_few_brokers"
    line.json("init", "--kafka", "--replication-factor", "1", "--min-insync-replicas", "1", "--partitions", "1")
    facts = inspect(bus).topics
    assert {(one.replicas, one.settings["min.insync.replicas"], one.settings["retention.bytes"]) for one in facts.values()} == {
        (1, "1", "-1")
    }
    cluster = inspect(bus)
    monkeypatch.setattr(bus_module, "inspect", lambda _: cluster._replace(brokers=3))
    checks = of_bus(bus, database)
    assert bad(checks) == {f"topic {bus.topic(one)}{what}" for one in TOPICS for what in ("", " replicas")}
    assert "min.insync.replicas=2" in checks[f"topic {bus.topic(EVENTS)}"].fix
    assert "give it 3 replicas" in checks[f"topic {bus.topic(EVENTS)} replicas"].fix


def test_a_topic_that_drops_by_size(bus: Bus, database: Database) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap)
    try:
        admin.alter_configs([ConfigResource("TOPIC", bus.topic(COMMANDS), configs={"retention.bytes": "1000000"})])
        until(lambda: bad(of_bus(bus, database)) == {f"topic {bus.topic(COMMANDS)}"})
    finally:
        admin.close()
    assert "retention.bytes=-1" in of_bus(bus, database)[f"topic {bus.topic(COMMANDS)}"].fix


def test_what_waits_for_workers(bus: Bus, database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    CommandPipeline(event_store, SystemClock()).submit([register()])
    send(bus, COMMANDS, [command_message(register(f"Customer {number}", uuid4())) for number in range(3)])
    checks = of_bus(bus, database)
    assert not bad(checks), "it may wait for a minute"
    assert checks["command workers"].detail.startswith("3 messages wait, the oldest for ")
    assert checks["relay"].detail.startswith("1 events wait, the oldest for ")
    monkeypatch.setattr(bus_module, "WAITING_MAX_S", 0.0)
    checks = of_bus(bus, database)
    assert bad(checks) == {"command workers", "relay"}
    assert "ltc worker command" in checks["command workers"].fix
    assert "ltc worker relay" in checks["relay"].fix
    with open_command_worker(bus, database, Publisher(bus)) as worker, open_relay(bus, database, Publisher(bus)) as relay:
        until(lambda: event_store.head()[0] == 4, worker.step)
        until(lambda: not bad(of_bus(bus, database)), relay.step)


def test_a_topic_that_was_made_anew(bus: Bus, database: Database, event_store: EventStore) -> None:
    event_store.advance([Offset(bus.topic(COMMANDS), 1, 0, 100)])
    checks = of_bus(bus, database)
    assert bad(checks) == {"command workers"}
    assert "[1]" in checks["command workers"].detail


def test_partitions_that_were_added(bus: Bus, database: Database) -> None:
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    with database.connect(Role.PROJECTOR) as projector:
        projector.execute(
            "UPDATE ltc_read.checkpoints SET source = %s, partition = 0 WHERE projection = 'customers'", (bus.topic(EVENTS),)
        )
    checks = of_bus(bus, database)
    assert bad(checks) == {"read tables' partitions"}
    assert checks["read tables' partitions"].detail == f"{bus.topic(EVENTS)} has 3, they know 1"


def test_a_guard_that_somebody_removed(database: Database) -> None:
    with database.connect(Role.OWNER) as owner:
        owner.execute("DROP TRIGGER append_only ON ltc.traces")
        owner.execute("ALTER TABLE ltc.events DISABLE TRIGGER append_only")
    checks = {one.name: one for one in examine_database(database, is_embedded=False)}
    assert checks["append-only guards"].detail == "missing or switched off: events, traces"
    assert "ltc init" in checks["append-only guards"].fix
    assert not checks["read tables"].healthy


def test_clocks_that_differ() -> None:
    assert skew("clock", CLOCK_SKEW_MAX_S, "ours").healthy
    for seconds in (CLOCK_SKEW_MAX_S + 0.1, -CLOCK_SKEW_MAX_S - 0.1):
        assert not skew("clock", seconds, "ours").healthy
        assert "NTP" in skew("clock", seconds, "ours").fix
