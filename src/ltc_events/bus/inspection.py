"""Looking at a cluster as who administers it would: which topics there are, how they are set, what time it is there."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from kafka.errors import KafkaError

from ltc_events.bus.connection_check import CONNECT_TIMEOUT_MS, reach, trouble
from ltc_events.bus.topics import TOPICS, Bus


class TopicFacts(NamedTuple):
    """A topic as it is. `ill` counts partitions that have no leader now; `settings` are its own and the cluster's.

    `replicas`: of the partition that has the fewest.
    """

    partitions: int
    replicas: int
    ill: int
    settings: Mapping[str, str]


class ClusterFacts(NamedTuple):
    """What was seen: brokers, our topics by full name (those that are missing are absent), and how far its clock is ahead.

    `skew_s` is None where the cluster does not tell: it needs KRaft and the right to describe the cluster.
    """

    brokers: int
    topics: Mapping[str, TopicFacts]
    skew_s: float | None


def inspect(bus: Bus) -> ClusterFacts:
    """Look at the cluster. Raises BusUnreachable."""
    reach(bus)
    try:
        admin = KafkaAdminClient(**bus.client_settings(), bootstrap_timeout_ms=CONNECT_TIMEOUT_MS)
    except KafkaError as error:
        raise trouble(bus, error) from error
    try:
        names = [bus.topic(topic) for topic in TOPICS]
        found = {one["name"]: one["partitions"] for one in admin.describe_topics(names) if not one["error_code"]}
        topics = {
            name: TopicFacts(len(parts), _replicas(parts), _leaderless(parts), _settings(admin, name))
            for name, parts in found.items()
        }
        return ClusterFacts(len(admin.describe_cluster()["brokers"]), topics, _skew(admin))
    except KafkaError as error:
        raise trouble(bus, error) from error
    finally:
        admin.close()


def _leaderless(partitions: list[dict[str, Any]]) -> int:
    return sum(one["leader_id"] < 0 for one in partitions)


def _replicas(partitions: list[dict[str, Any]]) -> int:
    return min((len(one["replica_nodes"]) for one in partitions), default=0)


def _settings(admin: KafkaAdminClient, topic: str) -> dict[str, str]:
    described = admin.describe_configs([ConfigResource("TOPIC", topic)], config_filter="All")
    return {name: str(one["value"]) for name, one in described["topic"][topic].items()}


def _skew(admin: KafkaAdminClient) -> float | None:
    """The leader of the cluster's own log counts itself as caught up now, by its clock."""
    with suppress(KafkaError, KeyError, IndexError, TypeError):
        quorum = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
        for voter in quorum["current_voters"]:
            if voter["replica_id"] == quorum["leader_id"] and voter["last_caught_up_timestamp"] > 0:
                return float(voter["last_caught_up_timestamp"]) / 1000 - time.time()
    return None
