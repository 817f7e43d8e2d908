"""Options and arguments that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer

from ltc_events.bootstrap.settings import load_settings


class ProjectorSource(StrEnum):
    """Where a projector takes events from."""

    KAFKA = "kafka"
    STORE = "store"


def _actor() -> str:
    return load_settings().actor


def require_reason(flag: str, reason: str) -> None:
    """Refuse, as wrong usage, a flag that needs a reason and has none."""
    if not reason.strip():
        raise typer.BadParameter(f"{flag} needs a reason, which is kept", param_hint="--reason")


ByOption = Annotated[
    str, typer.Option("--by", envvar="LTC_ACTOR", default_factory=_actor, help="The operator; kept with the reason.")
]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why; kept, empty without it; `ltc projections status NAME` shows it.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
NameArgument = Annotated[str, typer.Argument(help="Name of the read table (`ltc projections list`).")]
BuildOption = Annotated[
    str | None, typer.Option("--build", help="Which table: v2, or v2b1 if built anew; default: the one that readers see.")
]
LimitOption = Annotated[
    int, typer.Option("--limit", min=0, max=100_000, help="The most differing rows to list; all are counted.")
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Business date; default: today in the company's time zone.", show_default=False),
]
KnownAt = Annotated[
    str | None,
    typer.Option(
        "--known-at",
        metavar="TIME|POSITION",
        help="State of knowledge: a time or a position (rounded to the end of its command); default: the present.",
        show_default=False,
    ),
]
FreshOption = Annotated[
    bool,
    typer.Option(
        "--fresh/--as-is",
        help="Whether to update the read tables first; for tables on Kafka or a standby, wait for them.",
    ),
]
MinPosition = Annotated[
    int | None,
    typer.Option(
        "--min-position",
        min=0,
        metavar="POSITION",
        help="Wait until the data has reached this position, such as that of a command's answer.",
        show_default=False,
    ),
]
WaitOption = Annotated[float, typer.Option("--wait", min=0, max=86_400, help="The most seconds to wait for --min-position.")]
ChangedSince = Annotated[
    str | None,
    typer.Option(
        "--changed-since",
        metavar="TIME|POSITION",
        help="Show what differs, for the same date, from what was known then, with the events in between.",
        show_default=False,
    ),
]
