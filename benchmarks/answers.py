"""Questions about a demo company: the story of an invoice, and every report."""

from collections.abc import Callable, Iterator, Mapping
from statistics import median
from time import perf_counter

from benchmarks.figure import Figure, within
from benchmarks.place import Place, say
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.projections.registry import PROJECTIONS
from ltc_events.projections.runner import open_runner
from ltc_events.reports.catalogue import catalogue
from ltc_events.reports.runner import run, run_within
from ltc_events.simulation import ENDS_ON
from ltc_events.store import Database, EventStore, Role

DEMO_CUSTOMERS = 120
"""The size that `ltc demo` has by itself."""
LIMIT_MS = 100.0
REPEATS = 5


def measure(place: Place) -> Iterator[Figure]:
    """On the demo company and on a larger one; as a server would ask (a connection that is open, `warm`), and as the command
    line does (a connection of its own, `library call`)."""
    sizes = (DEMO_CUSTOMERS, place.sizes.customers_larger)
    for customers in sizes if place.sizes.rounds > 1 else (place.sizes.customers_larger,):
        database = place.ledger(customers)
        say("its read tables are filled …")
        with open_runner(database, PROJECTIONS) as runner:
            runner.catch_up()
        with database.connect(Role.OWNER, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        company = f"{customers:,} customers"
        details = list(_reports(database, company))
        yield _worst(f"slowest report, {company}", details)
        yield from details
        details = list(_stories(place, database, company))
        yield _worst(f"explain invoice, {company}", details)
        yield from details


def _worst(name: str, details: list[Figure]) -> Figure:
    slowest = max(details, key=lambda one: one.ours or 0)
    which = slowest.name.partition(",")[0]
    return within(f"{name} ({which})", "ms", slowest.ours or 0, LIMIT_MS)


def _reports(database: Database, company: str) -> Iterator[Figure]:
    with database.connect(Role.READER) as connection:
        name = connection.execute("SELECT name FROM ltc_read.customers ORDER BY customer_id LIMIT 1").fetchone()
        for report in catalogue():
            parameters: Mapping[str, str] = {"customer": str(name[0])} if name and report.name == "customer" else {}
            options = {"as_of": ENDS_ON, "parameters": parameters}

            def within_connection(report: str = report.name, options: dict = options) -> None:  # type: ignore[type-arg]
                with connection.transaction():
                    run_within(connection, report, **options)

            def by_itself(report: str = report.name, options: dict = options) -> None:  # type: ignore[type-arg]
                run(database, report, **options)

            yield _timed(f"report {report.name}, warm, {company}", within_connection)
            yield _timed(f"report {report.name}, library call, {company}", by_itself)


def _stories(place: Place, database: Database, company: str) -> Iterator[Figure]:
    """Invoices from all over the year, each once; the slowest of them."""
    with database.connect(Role.READER) as connection:
        numbers = [row[0] for row in connection.execute("SELECT number FROM ltc_read.invoices ORDER BY number")]
    some = numbers[:: max(1, len(numbers) // place.sizes.invoices)]
    with EventStore(database, Role.PROJECTOR) as store:
        position = store.head()[0]
        for number in some:
            explain_invoice(store, number, ENDS_ON, position)
        seconds = [_seconds(lambda: explain_invoice(store, number, ENDS_ON, position)) for number in some]  # noqa: B023
    yield within(f"median of {len(some)} invoices, warm, {company}", "ms", median(seconds) * 1000, LIMIT_MS, is_detail=True)
    yield within(f"slowest of {len(some)} invoices, warm, {company}", "ms", max(seconds) * 1000, LIMIT_MS, is_detail=True)

    def by_itself() -> None:
        with EventStore(database, Role.PROJECTOR) as store:
            explain_invoice(store, some[-1], ENDS_ON, store.head()[0])

    yield _timed(f"an invoice, library call, {company}", by_itself)


def _timed(name: str, work: Callable[[], object]) -> Figure:
    work()
    return within(name, "ms", median(_seconds(work) for _ in range(REPEATS)) * 1000, LIMIT_MS, is_detail=True)


def _seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began
