"""`ltc projections source`: shows or switches where the read tables get their events from."""

from typing import Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import ByOption, JsonOption, ProjectorSource, ReasonOption
from ltc_events.cli.output import err, print_json
from ltc_events.projections.catalog.event_source import STORE, Source, declared_source, fed_by_topic
from ltc_events.projections.following.source_switch import to_store
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Role


def source_(
    context: typer.Context,
    by: ByOption,
    to: Annotated[
        ProjectorSource | None, typer.Argument(help="Switch to this source: store or kafka.", show_default=False)
    ] = None,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show where the read tables take their events from, or hand them over. Nothing is left out or taken twice.

    Projectors of the other kind end when they see it. Interrupted, the same command goes on where it was.
    """
    services = services_of(context)
    if to is ProjectorSource.STORE:
        to_store(services.database, PROJECTIONS, by=by, reason=reason)
    elif to is ProjectorSource.KAFKA:
        from ltc_events.workers.topic_source import feed_from_kafka

        feed_from_kafka(services.bus, services.database, by=by, reason=reason)
    with services.database.connect(Role.PROJECTOR, autocommit=True) as connection:
        now = (declared_source(connection) if fed_by_topic(connection) else None) or Source(STORE, 1)
    if as_json:
        print_json({"source": now.name, "partitions": now.partitions})
    else:
        partitions = "" if now.is_store else f", in {now.partitions} partitions"
        err.print(f"The read tables take their events from {now.name}{partitions}.")
