"""`ltc demo`: a company's leads become cash, with a guide."""

import time
from collections import Counter
from typing import Annotated
from uuid import UUID

import orjson
import typer
from rich.markup import escape

from ltc_events.bootstrap.services import Services
from ltc_events.cli import explain
from ltc_events.cli.context import environment_of, services_of
from ltc_events.cli.output import err, out, print_table, progress
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.following.catch_up import catch_up
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.examples import eventful_invoice
from ltc_events.reports.render import write_table
from ltc_events.reports.runner import open_report
from ltc_events.simulation import ENDS_ON, simulate
from ltc_events.simulation.submission import submit_all
from ltc_events.store import Role

REPORTS = (
    ("funnel", "How far leads got. Cohort basis: leads captured in the period, wherever they are by now."),
    ("channels", "Which channel earns its money: what a won deal cost, and what came back."),
    ("receivables-aging", "Who owes what, and since when. Money that came in and is not matched yet counts against it."),
)
BRIDGE = "From what sales won to what is in the bank: each difference has its name, nothing is left over."


class DatabaseInUse(LtcError):
    """the database already holds {events} events, and a demo would mix its company with them"""

    remedy = "give the demo a place of its own: `LTC_HOME=/tmp/ltc-demo ltc demo`"


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 1,
    customers: Annotated[int, typer.Option(min=10, max=100_000, help="Number of customers.")] = 120,
    days: Annotated[int, typer.Option(min=60, max=3_650, help="Number of business days.")] = 365,
    kafka: Annotated[
        bool, typer.Option("--kafka", help="Use Kafka: that of the settings, or a broker started for the demo.")
    ] = False,
) -> None:
    """Simulate a company in an empty database and show four reports and the explanation of an invoice."""
    services = services_of(context)
    began = time.monotonic()
    services.database.initialise()
    _print_step("A ledger", f"in {services.settings.home if services.is_embedded else 'LTC_DATABASE_URL'}")
    if kafka:
        _fill_over_bus(context, services, seed, customers, days)
    else:
        _fill(services, seed, customers, days)
    for name, comment in REPORTS:
        out.print()
        _print_step(name, comment)
        with open_report(services.database, name, as_of=ENDS_ON) as answer:
            write_table(answer, out, rows_max=12)
    _bridge(services)
    _explain_example(services)
    out.print()
    _print_step("Done", f"in {time.monotonic() - began:.0f} s. What to try next:")
    for line in (
        "ltc report pipeline --as-of 2026-03-31       # what the pipeline looked like at the end of March",
        "ltc report trial-balance --known-at 5000     # the books as known at position 5000",
        "ltc events tail                              # the log itself",
        "ltc report list                              # all reports",
        "ltc projections list                         # the read tables; how to query them: docs/read-tables.md",
    ):
        out.print(f"  {line}", markup=False)


def _fill(services: Services, seed: int, customers: int, days: int) -> None:
    _refuse_another_company(services, seed, customers, days)
    with progress("commands") as ticker:
        told = submit_all(services.pipeline(), iter(simulate(seed, customers, days)), ticker.advance)
    with progress("read tables") as tables:
        catch_up(services.database, PROJECTIONS, tables.reach)
    events = services.store(Role.PROJECTOR).head()[0]
    text = f"{customers} customers, {days} days: {ticker.done:,} commands became {events:,} events"
    _print_step("A company", f"{text}; {_refusals(told.by_status)}.")


def _fill_over_bus(context: typer.Context, services: Services, seed: int, customers: int, days: int) -> None:
    from ltc_events.bus.topics import COMMANDS, EVENTS, RESULTS
    from ltc_events.cli import demo_bus

    _refuse_another_company(services, seed, customers, days)
    log = services.settings.home / "demo-workers.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with demo_bus.open_bus(services) as bus:
        _print_step("A bus", f"Kafka at {bus.bootstrap}, and three workers; what they say goes to {log}")
        environment = {**environment_of(context), "LTC_KAFKA_BOOTSTRAP": bus.bootstrap}
        with demo_bus.workers(environment, log):
            began = time.monotonic()
            with progress("commands") as ticker:
                counts = demo_bus.converse(bus, simulate(seed, customers, days), ticker, log)
            took = time.monotonic() - began
            _print_step(bus.topic(COMMANDS), f"{customers} customers, {days} days: {ticker.done:,} commands went over the bus")
            _print_step(bus.topic(RESULTS), f"as many answers, all after {took:.1f} s; {_refusals(counts)}")
            events = demo_bus.await_tables(services, log)
            later = time.monotonic() - began - took
            _print_step(bus.topic(EVENTS), f"{events:,} events, the last of them in the read tables {later:.1f} s later")
        demo_bus.leave(services)


def _refuse_another_company(services: Services, seed: int, customers: int, days: int) -> None:
    events = services.store(Role.PROJECTOR).head()[0]
    first = orjson.loads(next(iter(simulate(seed, customers, days))))
    if events and not services.store(Role.PROJECTOR).outcomes([UUID(first["id"])]):
        raise DatabaseInUse(events=events)


def _refusals(counts: Counter[str]) -> str:
    return "it was here already" if counts["duplicate"] else f"{counts['refused']} were refused, as they should be"


def _bridge(services: Services) -> None:
    """The totals of the report, one below the other: the whole way at a glance."""
    out.print()
    _print_step("revenue-vs-opportunity", BRIDGE)
    with open_report(services.database, "revenue-vs-opportunity", as_of=ENDS_ON) as answer:
        deals = sum(1 for _ in answer.rows)
    meanings = {column.name: column.meaning for column in answer.columns}
    rows = [
        (name, f"{amount:,.2f} {currency}", meanings[name])
        for name, amounts in answer.totals.items()
        if isinstance(amounts, dict)
        for currency, amount in amounts.items()
        if amount or name == "residual"
    ]
    print_table(f"all {deals} won opportunities", ("term", "amount", "what it is"), rows)


def _explain_example(services: Services) -> None:
    out.print()
    number = eventful_invoice(services.database)
    if number is None:
        err.print("no invoice was issued; try more customers or days")
        return
    _print_step(f"ltc explain invoice {number}", "Every cent of one invoice, back to the lead, from the events alone.")
    out.print(explain.render(explain.explain_by_number(services, number, None, None)))


def _print_step(title: str, text: str) -> None:
    out.print(f"[bold cyan]{escape(title)}[/]  {escape(text)}")
