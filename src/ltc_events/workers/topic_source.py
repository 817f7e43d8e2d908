"""Switches read tables to the topic as their source."""

from functools import partial

from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.projections.catalog.event_source import Source
from ltc_events.projections.following.source_switch import to_topic
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database


def feed_from_kafka(bus: Bus, database: Database, *, by: str, reason: str) -> None:
    """Switch read tables to `ltc.events` at their present positions. After an interruption the same call continues."""
    topic = bus.topic(EVENTS)
    with OffsetReader(bus) as offset_reader:
        source = Source(topic, len(offset_reader.ends(topic)))
        to_topic(database, PROJECTIONS, source, partial(offset_reader.ends, topic), by=by, reason=reason)
