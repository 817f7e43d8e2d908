"""`ltc projections source`: where the read tables take their events from, and changing it."""

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ltc_events.cli.output import JsonOption, err, print_json
from ltc_events.cli.rebuilding import ByOption, ReasonOption
from ltc_events.cli.session import session_of
from ltc_events.projections.handover import come_home, go_out
from ltc_events.projections.registry import PROJECTIONS
from ltc_events.projections.source import STORE, Source, declared_source, fed_by_topic
from ltc_events.store import Database, Role

if TYPE_CHECKING:
    from ltc_events.bus.topics import Bus


class ProjectorSource(StrEnum):
    """Where a projector takes events from."""

    KAFKA = "kafka"
    STORE = "store"


def source_(
    context: typer.Context,
    by: ByOption,
    to: Annotated[
        ProjectorSource | None, typer.Argument(help="store, or kafka: hand the tables over.", show_default=False)
    ] = None,
    reason: ReasonOption = "asked for",
    as_json: JsonOption = False,
) -> None:
    """Show where the read tables take their events from, or hand them over. Nothing is left out or taken twice.

    Projectors of the other kind end when they see it. Interrupted, the same command goes on where it was.
    """
    session = session_of(context)
    if to is ProjectorSource.STORE:
        come_home(session.database, PROJECTIONS, by=by, reason=reason)
    elif to is ProjectorSource.KAFKA:
        feed_from_kafka(session.bus, session.database, by=by, reason=reason)
    with session.database.connect(Role.READER, autocommit=True) as connection:
        now = (declared_source(connection) if fed_by_topic(connection) else None) or Source(STORE, 1)
    if as_json:
        print_json({"source": now.name, "partitions": now.partitions})
    else:
        partitions = "" if now.is_store else f", in {now.partitions} partitions"
        err.print(f"The read tables take their events from {now.name}{partitions}.")


def feed_from_kafka(bus: "Bus", database: Database, *, by: str, reason: str) -> None:
    """Let read tables take their events from `ltc.events`, from where they are."""
    from ltc_events.bus.survey import Survey
    from ltc_events.bus.topics import EVENTS

    topic = bus.topic(EVENTS)
    with Survey(bus) as survey:
        source = Source(topic, len(survey.ends(topic)))
        go_out(database, PROJECTIONS, source, partial(survey.ends, topic), by=by, reason=reason)
