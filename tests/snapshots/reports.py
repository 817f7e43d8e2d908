"""What every report says of the golden company, as JSON in `reports/`: reviewed like code, so that a change of figures is seen.

`python -m tests.snapshots.reports` (`make snapshots`) writes them anew. The company is the golden store of the newest release.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path

from tests.golden import store as golden
from tests.new_ledgers import new_ledgers

from ltc_events.reports.base import Value
from ltc_events.reports.registry import NAMES
from ltc_events.reports.render import write_json
from ltc_events.reports.runner import open_report
from ltc_events.store import Database

FOLDER = Path(__file__).parent / "reports"
RELEASE = golden.RELEASES[-1]


@dataclass(frozen=True)
class Asked:
    """With what a report is asked; as of the company's last day, unless another shows more in fewer rows."""

    as_of: date = date(2026, 6, 30)
    known_at: int | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)


ASKED: Mapping[str, Asked] = {
    "worklist": Asked(as_of=date(2026, 1, 15)),
    "pipeline": Asked(as_of=date(2026, 2, 20)),
    "leakage": Asked(parameters={"group_by": "requester"}),
    "customer": Asked(parameters={"customer": "Zeller Molkerei GmbH", "limit": 8}),
    "order-tracking": Asked(parameters={"customer": "Mill & Sons", "status": "open"}),
    "billable": Asked(as_of=date(2026, 5, 30)),
    "receivables-aging": Asked(as_of=date(2026, 5, 3), parameters={"per": "customer"}),
    "collections": Asked(as_of=date(2026, 3, 1)),
    # Between the two commands that move one payment: on the books of both days it was never in transit.
    "payments-in-transit": Asked(known_at=783),
    "renewals": Asked(as_of=date(2026, 4, 15)),
    "revenue-vs-opportunity": Asked(parameters={"customer": "Zeller Molkerei GmbH"}),
}
"""What is asked otherwise than `Asked()` has it, by report."""


def load(database: Database) -> None:
    """Put the golden company into an empty ledger, with its read tables."""
    golden.load(database, golden.events_of(RELEASE))
    golden.catch_up(database)


def snapshot(database: Database, report: str) -> str:
    """What a report says of the golden company in this ledger, as a JSON document."""
    asked, text = ASKED.get(report, Asked()), StringIO()
    with open_report(database, report, as_of=asked.as_of, known_at=asked.known_at, parameters=asked.parameters) as answer:
        write_json(answer, text)
    return text.getvalue()


def path_of(report: str) -> Path:
    """Where the snapshot of a report is."""
    return FOLDER / f"{report}.json"


def main() -> None:
    """Write all snapshots anew, and remove those of reports that are gone."""
    with new_ledgers() as new_ledger:
        database = new_ledger()
        load(database)
        for gone in set(FOLDER.glob("*.json")) - set(map(path_of, NAMES)):
            gone.unlink()
        for report in NAMES:
            path_of(report).write_text(snapshot(database, report), encoding="utf-8")


if __name__ == "__main__":
    main()
