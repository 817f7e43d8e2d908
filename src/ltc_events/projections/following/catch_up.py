"""Brings read tables up to the head of the log, from either source."""

from collections.abc import Callable, Sequence

import structlog

from ltc_events.projections.catalog.event_source import fed_by_topic
from ltc_events.projections.declaration.projection import Projection
from ltc_events.store import Database, Role

log = structlog.get_logger()

Report = Callable[[int, int], None]
"""Told how much is done of how much: events where the store feeds the tables, tables where a topic does."""


def catch_up(
    database: Database, projections: Sequence[type[Projection]], report: Report | None = None, *, shows: bool = True
) -> int:
    """Bring read tables up to the present head of the log; returns that position.

    A table that stops on the way records its failure, see `projections.status`; for tables fed by a topic FoldStopped is raised
    as well. `shows`: as for `Runner`.
    """
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        is_fed_by_topic = fed_by_topic(connection)
    if is_fed_by_topic:
        from ltc_events.projections.following.source_switch import catch_up_partitions

        return catch_up_partitions(database, projections, report)
    from ltc_events.projections.following.store_runner import open_runner

    with open_runner(database, projections, shows=shows) as runner:
        start: list[int] = []

        def moved(position: int, head: int) -> None:
            if not start:
                start.append(position)
            if report:
                report(position - start[0], head - start[0])

        position = runner.catch_up(moved)
    log.debug("caught_up", position=position)
    return position
