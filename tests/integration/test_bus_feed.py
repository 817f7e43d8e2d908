"""Reading as a member of a group, with a real broker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kafka import KafkaAdminClient
from tests.broker import until

from ltc_events.bus.consumer import PartitionConsumer
from ltc_events.bus.topics import EVENTS, Bus

Assigned = list[list[int]]


@contextmanager
def joining(bus: Bus) -> Iterator[tuple[PartitionConsumer, Assigned]]:
    """A member of a group of its own, and the partitions that it has got, one time after the other."""
    assigned: Assigned = []

    def begin(partitions: list[int]) -> dict[int, int]:
        assigned.append(partitions)
        return dict.fromkeys(partitions, 0)

    with PartitionConsumer(bus, EVENTS, "joining", assigned=begin) as feed:
        yield feed, assigned


@pytest.mark.parametrize("poll_s", [0.0, 0.01])
def test_a_member_whose_joining_outlasts_a_poll_gets_its_partitions(bus: Bus, poll_s: float) -> None:
    with joining(bus) as (feed, assigned):
        until(lambda: assigned[-1:] == [[0, 1, 2]], lambda: feed.poll(0.1))
        admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap)
        admin.create_partitions({bus.topic(EVENTS): 5})
        admin.close()
        until(lambda: feed.partitions_now() == 5)
        until(lambda: assigned[-1:] == [[0, 1, 2, 3, 4]], lambda: feed.poll(poll_s))


def test_a_member_joins_once_at_its_start(bus: Bus) -> None:
    with joining(bus) as (feed, assigned):
        until(lambda: assigned[-1:] == [[0, 1, 2]], lambda: feed.poll(0.1))
        feed.partitions_now()
        for _ in range(5):
            feed.poll(0.1)
    assert assigned.count([0, 1, 2]) == 1


def test_who_polls_for_moments_only_gets_in(bus: Bus) -> None:
    def poll(feed: PartitionConsumer) -> None:
        feed.poll(0.0)
        time.sleep(0.2)  # what it does in between: the answer to its joining comes meanwhile

    with joining(bus) as (feed, assigned):
        until(lambda: assigned[-1:] == [[0, 1, 2]], lambda: poll(feed))
