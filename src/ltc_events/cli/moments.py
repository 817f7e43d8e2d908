"""The two times that every report and explanation can be asked for."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from ltc_events.reports.parameters import parse_as_of, parse_known_at
from ltc_events.store import EventStore

AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Business date to look at; default: today.", show_default=False),
]
KnownAt = Annotated[
    str | None,
    typer.Option(
        "--known-at", metavar="TIME|POSITION", help="What was known then; default: all that is known.", show_default=False
    ),
]
ChangedSince = Annotated[
    str | None,
    typer.Option(
        "--changed-since",
        metavar="TIME|POSITION",
        help="What is different, about the same date, from what was known then; with the events in between.",
        show_default=False,
    ),
]


def business_date(as_of: str | None) -> date:
    """The day that `--as-of` means; raises InvalidMoment."""
    return parse_as_of(as_of) or datetime.now(UTC).date()


def known_position(store: EventStore, known_at: str | None) -> int:
    """The position of the log that `--known-at` means: itself, or the last one recorded by a time; raises InvalidMoment."""
    wanted = parse_known_at(known_at)
    head = store.head()[0]
    if wanted is None:
        return head
    return min(wanted, head) if isinstance(wanted, int) else store.position_at(wanted)
