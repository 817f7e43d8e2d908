"""Whether every report that is held against the books is what the books have, at dates and positions all over a ledger."""

from collections.abc import Iterable
from datetime import date

from ltc_events.reports.registry import all_reports
from ltc_events.reports.runner import run
from ltc_events.store import Database

TIED = [one.name for one in all_reports() if one.ties]


def untied(database: Database, dates: Iterable[date], positions: Iterable[int | None]) -> list[str]:
    """What does not tie, in words."""
    found = []
    positions = list(positions)
    for as_of in dates:
        for known_at in positions:
            for name in TIED:
                ties = run(database, name, as_of=as_of, known_at=known_at).ties
                found += [f"{name} as of {as_of}, known at {known_at}: {tie}" for tie in ties if tie.difference]
    return found
