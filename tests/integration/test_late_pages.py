"""A page of a relay that was with the broker already when the store went back, and comes after the next relay has looked."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.broker import everything, until
from tests.integration.test_recover import assert_told
from tests.projectors import adopt, arrive, assert_true, fill, relay_all
from tests.went_back import go_back

from ltc_events.bus.cloudevents import epoch_message, event_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.records import Outgoing
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.recovery.assessment import find
from ltc_events.recovery.recover import recover
from ltc_events.store import Database, EventStore, StoreWentBack
from ltc_events.workers import relay as relay_module
from ltc_events.workers.projector import open_projector
from ltc_events.workers.relay import open_relay

STEPS = 20


@pytest.fixture
def late(bus: Bus) -> Iterator[Publisher]:
    """The producer of a relay that was cut off: what it sent is still on its way."""
    with Publisher(bus) as publisher:
        yield publisher


def page(store: EventStore, after: int) -> list[Outgoing]:
    """What a relay sends of the events behind a position."""
    epochs = store.epochs()
    return [event_message(one, None, epochs.of(one.position).name) for one in store.read_raw(after, 1000)]


def published(bus: Bus, database: Database, store: EventStore) -> tuple[int, dict[tuple[str, int], int], list[Outgoing]]:
    """A ledger whose events are all on the topic, but for those of a page that is on its way; and lost with the restore."""
    adopt(bus, database, store)
    kept, offsets = store.head()[0], store.offsets(bus.topic(EVENTS))
    fill(store, 40)
    lost = page(store, kept)
    go_back(database, kept, offsets)
    return kept, offsets, lost


@pytest.mark.parametrize("grows", [True, False], ids=["while it publishes", "while it has nothing to do"])
def test_a_relay_stops_where_a_page_comes_that_the_store_has_lost(
    bus: Bus, database: Database, event_store: EventStore, late: Publisher, monkeypatch: pytest.MonkeyPatch, *, grows: bool
) -> None:
    monkeypatch.setattr(relay_module, "LOOK_EVERY_S", 0)
    kept, offsets, lost = published(bus, database, event_store)
    # Which event it names follows from the partitions of the customers: the last of the first one that is looked at.
    with (  # noqa: PT012
        pytest.raises(StoreWentBack, match=r"events has the event \d+ of command"),
        open_relay(bus, database, Publisher(bus)) as relay,
    ):
        relay.step()
        late.publish(bus.topic(EVENTS), lost)
        if grows:
            fill(event_store, 90)
        with suppress(StoreWentBack):
            for _ in range(STEPS):
                relay.step()
        relay.finish()
        for _ in range(STEPS):  # however often it is tried
            relay.step()
    assert event_store.offsets(bus.topic(EVENTS)) == offsets, "nothing counts as published behind it"
    assert not find(database, bus).is_in_order
    assert recover(database, bus, discard=True, by="ann", reason="a test").after == kept
    fill(event_store, 10)
    relay_all(bus, database, event_store)
    assert_told(bus, event_store)
    assert find(database, bus).is_in_order


def test_a_page_that_comes_after_the_recovery_is_known_by_its_epoch(
    bus: Bus, database: Database, event_store: EventStore, late: Publisher
) -> None:
    kept, _, lost = published(bus, database, event_store)
    late.publish(bus.topic(EVENTS), lost[:20])
    assert recover(database, bus, discard=True, by="ann", reason="a test").after == kept
    with open_relay(bus, database, Publisher(bus)) as relay:
        relay.step()
        late.publish(bus.topic(EVENTS), lost[20:])
        fill(event_store, 90)
        until(lambda: event_store.offsets(bus.topic(EVENTS)) == {(bus.topic(EVENTS), 0): event_store.head()[0]}, relay.step)
    assert_told(bus, event_store)
    with open_projector(bus, database) as projector:
        arrive(projector, database, event_store)
    assert_true(database)


def test_an_epoch_that_is_announced_again_makes_nothing_of_it_void(
    bus: Bus, database: Database, event_store: EventStore, late: Publisher
) -> None:
    kept, _, lost = published(bus, database, event_store)
    late.publish(bus.topic(EVENTS), lost)
    assert recover(database, bus, discard=True, by="ann", reason="a test").after == kept
    fill(event_store, 30)
    events, epoch = page(event_store, kept), event_store.epochs().current
    announcement = epoch_message(epoch.name, epoch.after, epoch.begun_at, epoch.reason)
    # Two relays, of which the second took the lease from the first: it looked before the first had announced the epoch.
    late.publish_everywhere(bus.topic(EVENTS), announcement)
    late.publish(bus.topic(EVENTS), events[:10])
    late.publish_everywhere(bus.topic(EVENTS), announcement)
    late.publish(bus.topic(EVENTS), events[10:20])
    relay_all(bus, database, event_store)
    assert_told(bus, event_store)


def test_a_page_that_comes_twice_holds_up_nobody(bus: Bus, database: Database, event_store: EventStore, late: Publisher) -> None:
    adopt(bus, database, event_store)
    with open_relay(bus, database, Publisher(bus)) as relay:
        relay.step()
        late.publish(bus.topic(EVENTS), page(event_store, 10))
        fill(event_store, 30)
        until(lambda: event_store.offsets(bus.topic(EVENTS)) == {(bus.topic(EVENTS), 0): event_store.head()[0]}, relay.step)
    assert len(everything(bus, EVENTS)) == event_store.head()[0] + 50
