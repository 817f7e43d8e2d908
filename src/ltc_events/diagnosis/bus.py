"""Looking at Kafka: the broker, the topics as they should be, and what waits there for workers."""

import time
from collections.abc import Iterator

from ltc_events.bus.inspection import ClusterFacts, TopicFacts, inspect
from ltc_events.bus.survey import Survey
from ltc_events.bus.topics import COMMANDS, EVENTS, MESSAGE_BYTES_MAX, TOPICS, Bus, Topic
from ltc_events.diagnosis.check import WAITING_MAX_S, Check, skew
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.status import projection_status
from ltc_events.store import Database, EventStore, NotInitialised, Role
from ltc_events.workers.lag import command_lag, relay_lag


def examine_bus(bus: Bus, database: Database) -> Iterator[Check]:
    """All checks of Kafka and of those who work between it and the ledger; a failed foundation ends them."""
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
    try:
        with EventStore(database, Role.WRITER) as store:
            if bus.topic(COMMANDS) in cluster.topics:
                yield from _commands(bus, store)
            if bus.topic(EVENTS) in cluster.topics:
                yield from _events(bus, store)
                yield from _partitions(bus, database, cluster)
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
    wrong = dict(_wrong(topic, facts))
    kept = int(facts.settings.get("retention.ms", -1))
    told = "for ever" if kept < 0 else f"{kept / 86_400_000:g} days"
    detail = "; ".join(f"{one} is {facts.settings.get(one)}" for one in wrong) or f"{facts.partitions} partitions, kept {told}"
    settings = ",".join(f"{one}={value}" for one, value in wrong.items())
    fix = f"kafka-configs.sh --bootstrap-server {bus.bootstrap} --alter --topic {name} --add-config {settings}"
    yield Check(f"topic {name}", not wrong, detail, fix)


def _wrong(topic: Topic, facts: TopicFacts) -> Iterator[tuple[str, str]]:
    """The settings by which messages would be lost or refused, and what they should be."""
    kept = int(facts.settings.get("retention.ms", -1))
    if kept >= 0 and (topic.retention_ms < 0 or kept < topic.retention_ms):
        yield "retention.ms", str(topic.retention_ms)
    if topic.retention_ms < 0 and int(facts.settings.get("retention.bytes", -1)) >= 0:
        yield "retention.bytes", "-1"
    if facts.settings.get("cleanup.policy", "delete") != "delete":
        yield "cleanup.policy", "delete"
    if topic is not COMMANDS and int(facts.settings.get("max.message.bytes", MESSAGE_BYTES_MAX)) < MESSAGE_BYTES_MAX:
        yield "max.message.bytes", str(MESSAGE_BYTES_MAX)


def _commands(bus: Bus, store: EventStore) -> Iterator[Check]:
    with Survey(bus) as survey:
        lags = command_lag(survey, store, bus.topic(COMMANDS))
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


def _partitions(bus: Bus, database: Database, cluster: ClusterFacts) -> Iterator[Check]:
    """Read tables that Kafka feeds know how many partitions there were."""
    name = bus.topic(EVENTS)
    fed = {one.partition for one in projection_status(database) if one.source == name}
    if fed:
        there = cluster.topics[name].partitions
        detail = f"{len(fed)} partitions, as {name} has" if len(fed) == there else f"{name} has {there}, they know {len(fed)}"
        fix = "events of one customer may be out of order now: `ltc worker projector` says how to go on"
        yield Check("read tables' partitions", len(fed) == there, detail, fix)


def _waiting(count: int, what: str, oldest_s: float) -> str:
    return f"{count} {what} wait, the oldest for {oldest_s:.0f} s" if count else f"no {what} wait"
