"""Questions about a demo company: the story of an invoice, and every report."""

from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter

from benchmarks.figure import Figure, within
from benchmarks.place import Place, say
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.registry import all_reports
from ltc_events.reports.runner import run, run_within
from ltc_events.simulation import ENDS_ON
from ltc_events.store import Database, EventStore, Role

DEMO_CUSTOMERS = 120
"""The size that `ltc demo` has by itself."""
LIMIT_MS = 100.0
"""Of a story of any company, and of a report on the demo company."""
LARGER_LIMIT_MS = 500.0
"""Of a report on a company of any size."""
REPEATS = 5


def measure(place: Place) -> Iterator[Figure]:
    """On the demo company and on a larger one; as a server would ask (a connection that is open: `warm`), and as the command
    line does (a connection of its own: `library call`)."""
    if not place.sizes.is_quick:
        yield from _company(place, DEMO_CUSTOMERS, LIMIT_MS)
    yield from _company(place, place.sizes.customers_larger, LARGER_LIMIT_MS)


def _company(place: Place, customers: int, limit: float) -> Iterator[Figure]:
    database = place.ledger(customers)
    say("its read tables are filled …")
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    with database.connect(Role.OWNER, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    place.settle()
    company = f"{customers:,} customers"
    for what, details in (
        ("report", list(_reports(database, company, limit))),
        ("explain invoice", list(_stories(place, database, company))),
    ):
        slowest = max(details, key=lambda one: one.ours or 0)
        which = slowest.name.removesuffix(f", {company}").removeprefix(what).strip(", ")
        bound = limit if what == "report" else LIMIT_MS
        yield within(f"slowest {what}, {company}: {which}", "ms", slowest.ours or 0, bound)
        yield from details


def _reports(database: Database, company: str, limit: float) -> Iterator[Figure]:
    with database.connect(Role.READER) as connection:
        row = connection.execute("SELECT name FROM ltc_read.customers ORDER BY customer_id LIMIT 1").fetchone()
        connection.commit()
        for name in (report.name for report in all_reports()):
            parameters: dict[str, str] = {"customer": str(row[0])} if row and name == "customer" else {}

            def within_connection(name: str = name, parameters: dict[str, str] = parameters) -> None:
                with connection.transaction():
                    run_within(connection, name, as_of=ENDS_ON, parameters=parameters)

            def by_itself(name: str = name, parameters: dict[str, str] = parameters) -> None:
                run(database, name, as_of=ENDS_ON, parameters=parameters)

            yield _timed(f"report {name}, warm, {company}", within_connection, limit)
            yield _timed(f"report {name}, library call, {company}", by_itself, limit)


def _stories(place: Place, database: Database, company: str) -> Iterator[Figure]:
    """Invoices from all over the year."""
    with database.connect(Role.READER) as connection:
        numbers = [row[0] for row in connection.execute("SELECT number FROM ltc_read.invoices ORDER BY number")]
    some = numbers[:: max(1, len(numbers) // place.sizes.invoices)]
    with EventStore(database, Role.PROJECTOR) as store:
        position = store.head()[0]

        def explain(number: str) -> float:
            return median(_milliseconds(lambda: explain_invoice(store, number, ENDS_ON, position)) for _ in range(3))

        each = [explain(number) for number in some]
    of_them = f"of {len(some)}, warm, {company}"
    yield within(f"explain invoice, median {of_them}", "ms", median(each), LIMIT_MS, is_detail=True)
    yield within(f"explain invoice, slowest {of_them}", "ms", max(each), LIMIT_MS, is_detail=True)

    def by_itself() -> None:
        with EventStore(database, Role.PROJECTOR) as store:
            explain_invoice(store, some[-1], ENDS_ON, store.head()[0])

    yield _timed(f"explain invoice, library call, {company}", by_itself, LIMIT_MS)


def _timed(name: str, work: Callable[[], object], limit: float) -> Figure:
    work()
    return within(name, "ms", median(_milliseconds(work) for _ in range(REPEATS)), limit, is_detail=True)


def _milliseconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1000
