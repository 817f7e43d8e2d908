"""The registry of reports: one line each, beside its SQL file, whose format `base` describes."""

from difflib import get_close_matches
from functools import cache

from ltc_events.reports.base import Report, declare
from ltc_events.reports.errors import UnknownReport
from ltc_events.store.sql_files import read_sql

NAMES: tuple[str, ...] = (
    "funnel",
    "channels",
    "speed-to-lead",
    "worklist",
    "pipeline",
    "stage-durations",
    "loss-reasons",
    "bookings",
    "sales-cycle",
    "quote-turnaround",
    "leakage",
    "customer",
    "order-tracking",
    "on-time-delivery",
    "billable",
    "receivables-aging",
    "dso",
    "collections",
    "disputes",
    "payment-behaviour",
    "payments-in-transit",
    "order-to-cash",
    "renewals",
    "trial-balance",
    "revenue-vs-opportunity",
    "customer-value",
    "cohorts",
)


@cache
def report(name: str) -> Report:
    """The report of this name; raises UnknownReport, which names the nearest."""
    if name not in NAMES:
        near = get_close_matches(name, NAMES, n=3, cutoff=0.5)
        suggestion = f"did you mean {' or '.join(near)}?" if near else f"the reports are: {', '.join(NAMES)}"
        raise UnknownReport(name=name, suggestion=suggestion)
    return declare(name, read_sql("ltc_events.reports", name))


def all_reports() -> tuple[Report, ...]:
    """All reports, in the order of the chain from lead to cash."""
    return tuple(map(report, NAMES))
