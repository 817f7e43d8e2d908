"""Checks of Kafka: the broker, the topics and their settings, and the backlog of workers."""

import time
from collections.abc import Iterator

from ltc_events.bootstrap.services import open_store
from ltc_events.bus.inspection import ClusterFacts, TopicFacts, inspect
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.topic_creation import safety_of
from ltc_events.bus.topics import COMMANDS, EVENTS, MESSAGE_BYTES_MAX, TOPICS, Bus, Topic
from ltc_events.diagnosis.check import WAITING_MAX_S, Check, skew
from ltc_events.diagnosis.database import usable_roles
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.catalog.status import are_laid_out, projection_status
from ltc_events.projections.declaration.errors import EventsGone
from ltc_events.projections.following.partition_runner import next_offsets
from ltc_events.recovery.expired import expired_error, find_expired
from ltc_events.recovery.topic_comparison import refuse_answers_ahead, refuse_events_ahead
from ltc_events.store import Database, EventStore, NotInitialised, Role, StoreWentBack
from ltc_events.workers.probes import command_lag, relay_lag


def examine_bus(bus: Bus, database: Database) -> Iterator[Check]:
    """All checks of Kafka and of the workers on it; a failed prerequisite ends them."""
    try:
        cluster = inspect(bus)
    except LtcError as error:
        yield Check("kafka", False, error.message, error.fix)
        return
    yield Check("kafka", True, f"{cluster.brokers} broker{'s' if cluster.brokers != 1 else ''} at {bus.bootstrap}")
    if cluster.skew_s is not None:
        yield skew("kafka's clock", cluster.skew_s, "ours")
    for topic in TOPICS:
        yield from _topic(bus, topic, cluster)
    usable = usable_roles(database)
    if not set(usable) - {Role.READER}:
        yield Check("lag", True, "not looked at: this login may not read the log")
        return
    try:
        with open_store(database, usable[0]) as store:
            if bus.topic(COMMANDS) in cluster.topics:
                yield from _commands(bus, store)
            if bus.topic(EVENTS) in cluster.topics:
                yield _epoch(bus, store)
                yield from _events(bus, store)
                if Role.PROJECTOR in usable:
                    yield from _partitions(bus, database, cluster)
                    yield from _unread(bus, database)
    except NotInitialised:
        return  # which is said of the database
    except LtcError as error:
        yield Check("lag", False, error.message, error.fix)


def _topic(bus: Bus, topic: Topic, cluster: ClusterFacts) -> Iterator[Check]:
    name = bus.topic(topic)
    facts = cluster.topics.get(name)
    if facts is None:
        yield Check(f"topic {name}", False, "there is none", "run `ltc init --kafka`")
        return
    if facts.ill:
        yield Check(f"topic {name}", False, f"{facts.ill} of {facts.partitions} partitions have no leader", "start their brokers")
        return
    safety = safety_of(cluster.brokers)
    if facts.replicas < safety.replicas:
        detail = f"{facts.replicas} of {cluster.brokers} brokers keep it: with them its messages are lost"
        fix = f"give it {safety.replicas} replicas with kafka-reassign-partitions.sh"
        yield Check(f"topic {name} replicas", False, detail, fix)
    wrong = dict(_wrong(topic, facts, safety.in_sync))
    kept = int(facts.settings.get("retention.ms", -1))
    told = "for ever" if kept < 0 else f"{kept / 86_400_000:g} days"
    detail = "; ".join(f"{one} is {facts.settings.get(one)}" for one in wrong) or f"{facts.partitions} partitions, kept {told}"
    settings = ",".join(f"{one}={value}" for one, value in wrong.items())
    fix = f"kafka-configs.sh --bootstrap-server {bus.bootstrap} --alter --topic {name} --add-config {settings}"
    yield Check(f"topic {name}", not wrong, detail, fix)


def _wrong(topic: Topic, facts: TopicFacts, in_sync: int) -> Iterator[tuple[str, str]]:
    """The settings that would lose or refuse messages, and their right values."""
    kept = int(facts.settings.get("retention.ms", -1))
    if kept >= 0 and (topic.retention_ms < 0 or kept < topic.retention_ms):
        yield "retention.ms", str(topic.retention_ms)
    if int(facts.settings.get("retention.bytes", -1)) >= 0:
        yield "retention.bytes", "-1"  # what is much would be dropped before its time, whether or not it was read
    if int(facts.settings.get("min.insync.replicas", 1)) < in_sync:
        yield "min.insync.replicas", str(in_sync)
    if facts.settings.get("cleanup.policy", "delete") != "delete":
        yield "cleanup.policy", "delete"
    if int(facts.settings.get("max.message.bytes", MESSAGE_BYTES_MAX)) < MESSAGE_BYTES_MAX:
        yield "max.message.bytes", str(MESSAGE_BYTES_MAX)


def _commands(bus: Bus, store: EventStore) -> Iterator[Check]:
    with OffsetReader(bus) as offset_reader:
        if expired := find_expired(bus, store, offset_reader):
            error = expired_error(bus.topic(COMMANDS), expired)
            yield Check("expired commands", False, error.message, error.fix)
        lags = command_lag(offset_reader, store, bus.topic(COMMANDS))
    replaced = sorted(number for number, lag in lags.items() if lag.messages < 0)
    if replaced:
        detail = f"partitions {replaced} end before what was read of them: it is another topic of that name"
        fix = "find out who made the topic anew; if that was meant, remove its rows from ltc.offsets"
        yield Check("command workers", False, detail, fix)
        return
    waiting = sum(lag.messages for lag in lags.values())
    oldest = max((lag.oldest_s for lag in lags.values()), default=0.0)
    yield Check(
        "command workers",
        oldest <= WAITING_MAX_S,
        _waiting(waiting, "messages", oldest),
        "see that `ltc worker command` runs, and what its log and its /healthz say",
    )


def _events(bus: Bus, store: EventStore) -> Iterator[Check]:
    lag = relay_lag(store, bus.topic(EVENTS), time.time())
    yield Check(
        "relay",
        lag.oldest_s <= WAITING_MAX_S,
        _waiting(lag.head - lag.position, "events", lag.oldest_s),
        "see that `ltc worker relay` runs, and what its log and its /healthz say",
    )


def _epoch(bus: Bus, store: EventStore) -> Check:
    """Whether Kafka has events or answers that the store lacks."""
    try:
        with OffsetReader(bus) as offset_reader:
            refuse_events_ahead(bus, store, offset_reader=offset_reader)
            refuse_answers_ahead(bus, store, offset_reader=offset_reader)
    except StoreWentBack as error:
        return Check("epoch on Kafka", False, error.message, error.fix)
    return Check("epoch on Kafka", True, "the store has what was published and answered last")


def _partitions(bus: Bus, database: Database, cluster: ClusterFacts) -> Iterator[Check]:
    """Check that the number of partitions is the one that the read tables know."""
    name = bus.topic(EVENTS)
    fed = {one.partition for one in projection_status(database) if one.source == name}
    if fed:
        there = cluster.topics[name].partitions
        detail = f"{len(fed)} partitions, as {name} has" if len(fed) == there else f"{name} has {there}, they know {len(fed)}"
        fix = "events of one customer may be out of order now: `ltc worker projector` says how to go on"
        yield Check("read tables' partitions", len(fed) == there, detail, fix)


def _unread(bus: Bus, database: Database) -> Iterator[Check]:
    """Whether the topic still has all events that the read tables have not read yet."""
    name = bus.topic(EVENTS)
    with database.connect(Role.PROJECTOR) as connection:
        offsets = next_offsets(connection, name) if are_laid_out(connection) else {}
    if not offsets:
        return
    with OffsetReader(bus) as offset_reader:
        begins, ends = offset_reader.beginnings(name), offset_reader.ends(name)
    gone = [
        EventsGone(topic=name, partition=partition, begin=begins[partition], end=ends[partition], offset=offset)
        for partition, offset in sorted(offsets.items())
        if partition in begins and offset < begins[partition]
    ]
    detail = "; ".join(one.message for one in gone) or f"{name} has all that read tables have not read yet"
    yield Check("unread events", not gone, detail, EventsGone.remedy)


def _waiting(count: int, what: str, oldest_s: float) -> str:
    return f"{count} {what} wait, the oldest for {oldest_s:.0f} s" if count else f"no {what} wait"
