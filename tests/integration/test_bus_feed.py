"""Reading as a member of a group, with a real broker."""

import time

import pytest
from kafka import KafkaAdminClient
from tests.broker import until

from ltc_events.bus.feed import Feed
from ltc_events.bus.topics import EVENTS, Bus


@pytest.mark.parametrize("poll_s", [0.0, 0.01])
def test_a_member_whose_joining_outlasts_a_poll_gets_its_partitions(bus: Bus, poll_s: float) -> None:
    assigned: list[list[int]] = []

    def begin(partitions: list[int]) -> dict[int, int]:
        assigned.append(partitions)
        return dict.fromkeys(partitions, 0)

    with Feed(bus, EVENTS, "growing", assigned=begin) as feed:
        until(lambda: assigned[-1:] == [[0, 1, 2]], lambda: feed.poll(0.1))
        admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap)
        admin.create_partitions({bus.topic(EVENTS): 5})
        admin.close()
        until(lambda: feed.partitions_now() == 5)
        until(lambda: assigned[-1:] == [[0, 1, 2, 3, 4]], lambda: feed.poll(poll_s))


def test_a_member_joins_once_at_its_start(bus: Bus) -> None:
    assigned: list[list[int]] = []

    def begin(partitions: list[int]) -> dict[int, int]:
        assigned.append(partitions)
        return dict.fromkeys(partitions, 0)

    with Feed(bus, EVENTS, "starting", assigned=begin) as feed:
        until(lambda: assigned == [[0, 1, 2]], lambda: feed.poll(0.1))
        feed.partitions_now()
        for _ in range(5):
            feed.poll(0.1)
    assert assigned == [[0, 1, 2]]


def test_who_polls_for_moments_only_gets_in(bus: Bus) -> None:
    assigned: list[list[int]] = []

    def begin(partitions: list[int]) -> dict[int, int]:
        assigned.append(partitions)
        return dict.fromkeys(partitions, 0)

    def busy(feed: Feed) -> None:
        feed.poll(0.0)
        time.sleep(0.2)

    with Feed(bus, EVENTS, "busy", assigned=begin) as feed:
        until(lambda: assigned[-1:] == [[0, 1, 2]], lambda: busy(feed))
