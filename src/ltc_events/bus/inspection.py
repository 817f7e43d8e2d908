"""Inspects a cluster: its topics, their settings, and its clock."""

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
    """A topic's present state. `ill` counts partitions without a leader; `settings` are its own and the cluster's.

    `replicas`: the lowest number of any partition.
    """

    partitions: int
    replicas: int
    ill: int
    settings: Mapping[str, str]


class ClusterFacts(NamedTuple):
    """The brokers, our topics by full name (missing ones are absent), and how far the cluster's clock is ahead, in seconds.

    `skew_s` is None where it cannot be measured: that needs KRaft and the privilege to describe the cluster.
    """

    brokers: int
    topics: Mapping[str, TopicFacts]
    skew_s: float | None


def inspect(bus: Bus) -> ClusterFacts:
    """Inspect the cluster. Raises BusUnreachable."""
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
    """The clock skew, from the time at which the quorum leader was last caught up with itself, which is now by its clock."""
    with suppress(KafkaError, KeyError, IndexError, TypeError):
        quorum = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
        for voter in quorum["current_voters"]:
            if voter["replica_id"] == quorum["leader_id"] and voter["last_caught_up_timestamp"] > 0:
                return float(voter["last_caught_up_timestamp"]) / 1000 - time.time()
    return None
