"""`ltc explain`: the story of an invoice, order, quote, deal, payment or balance, as a tree."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, TypeAlias
from uuid import UUID

import typer
from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

from ltc_events.bootstrap.services import Services
from ltc_events.cli.context import services_of
from ltc_events.cli.options import AsOf, JsonOption, KnownAt, MinPosition, WaitOption
from ltc_events.cli.output import err, out, print_json
from ltc_events.explanation.account import explain_customer, explain_payment
from ltc_events.explanation.chain import UnknownInvoice, event_of
from ltc_events.explanation.company_day import company_day
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.explanation.sale import explain_opportunity, explain_order, explain_quote
from ltc_events.explanation.story import Node, Story
from ltc_events.freshness import POSITION_WAIT_S, Freshness
from ltc_events.querying.finding import NothingFound, the_one
from ltc_events.reports.parameters import known_position, parse_as_of
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.store import EventStore, Role

app = typer.Typer(help="Explain a figure, from the events alone.", no_args_is_help=True)

SEARCHED = frozenset({"search_terms"})
_LOG_ALONE: frozenset[str] = frozenset()
"""A story is told of events: no read table has to know the position that is waited for."""
Explainer: TypeAlias = Callable[[EventStore, UUID, date, int], Story]
"""The story of the thing with this id, on a day, as known at a position."""


class StoryFormat(StrEnum):
    """How a story is written."""

    TEXT = "text"
    JSON = "json"


@app.callback()
def group() -> None:
    """Explain a figure, from the events alone."""


WhatArgument = Annotated[str, typer.Argument(help="Its id, title, or reference in another system.")]
FormatOption = Annotated[StoryFormat, typer.Option(help="Format of the explanation.")]


@app.command()
def invoice(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="The invoice's number, e.g. INV-2026-000042, or its number in another system.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
    wait: WaitOption = POSITION_WAIT_S,
    format: FormatOption = StoryFormat.TEXT,
    as_json: JsonOption = False,
) -> None:
    """Explain an invoice, from the lead to the last cent. Exit 1 if a sum does not match."""
    services = services_of(context)
    fresh = Freshness(True, min_position, wait)
    fresh.reach(services.reading, _LOG_ALONE)
    try:
        story = explain_by_number(services, number, as_of, known_at)
    except UnknownInvoice:
        ours = _our_number(services, number, fresh)
        if ours is None:
            raise
        story = explain_by_number(services, ours, as_of, known_at)
    _write(story, format, as_json=as_json)


def _add_command(kind: str, explainer: Explainer, meaning: str) -> None:
    """Make the command that tells the story of one thing of this kind."""

    def command(
        context: typer.Context,
        what: WhatArgument,
        as_of: AsOf = None,
        known_at: KnownAt = None,
        min_position: MinPosition = None,
        wait: WaitOption = POSITION_WAIT_S,
        format: FormatOption = StoryFormat.TEXT,
        as_json: JsonOption = False,
    ) -> None:
        fresh = Freshness(True, min_position, wait)
        _explain(context, kind, what, explainer, as_of, known_at, fresh, format, as_json=as_json)

    app.command(kind, help=f"{meaning} Exit 1 if a sum does not match.")(command)


for _kind, _explainer, _meaning in (
    ("order", explain_order, "Explain an order, from the lead to its invoices."),
    ("quote", explain_quote, "Explain the prices of a quote."),
    ("opportunity", explain_opportunity, "Explain a deal with its quotes, orders and invoices."),
    ("payment", explain_payment, "Explain a payment: its origin, its uses and what is left."),
):
    _add_command(_kind, _explainer, _meaning)


@app.command()
def customer(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="The customer's id, name, or reference in another system.")],
    currency: Annotated[str | None, typer.Option(help="Currency of the balance; default: that of the first document.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
    wait: WaitOption = POSITION_WAIT_S,
    format: FormatOption = StoryFormat.TEXT,
    as_json: JsonOption = False,
) -> None:
    """Explain a customer's balance, document by document."""

    def explain_in_currency(store: EventStore, id: UUID, day: date, position: int) -> Story:
        return explain_customer(store, id, currency, day, position)

    fresh = Freshness(True, min_position, wait)
    _explain(context, "customer", what, explain_in_currency, as_of, known_at, fresh, format, as_json=as_json)


def explain_by_number(services: Services, number: str, as_of: str | None, known_at: str | None) -> Story:
    """The story of an invoice, as the options ask for it."""
    store = services.reading_store()
    day = parse_as_of(as_of) or company_day(store, datetime.now(UTC))
    return explain_invoice(store, number, day, known_position(store, known_at))


def _explain(
    context: typer.Context,
    kind: str,
    what: str,
    explainer: Explainer,
    as_of: str | None,
    known_at: str | None,
    fresh: Freshness,
    format: StoryFormat,
    *,
    as_json: bool,
) -> None:
    services = services_of(context)
    fresh.reach(services.reading, _LOG_ALONE)
    store = services.reading_store()
    day = parse_as_of(as_of) or company_day(store, datetime.now(UTC))
    story = explainer(store, _id(services, kind, what, fresh), day, known_position(store, known_at))
    _write(story, format, as_json=as_json)


def _id(services: Services, kind: str, what: str, fresh: Freshness) -> UUID:
    """The id that is given, or that of the one thing of this kind that is called so."""
    try:
        return UUID(what)
    except ValueError:
        fresh.reach(services.reading, SEARCHED, role=Role.PROJECTOR)
    with services.reading.connect(Role.PROJECTOR) as connection:  # who reads the log for the story may read these, too
        return the_one(connection, kind, what)


def _our_number(services: Services, number: str, fresh: Freshness) -> str | None:
    """Our number of the invoice that another system calls so; None: it knows none."""
    try:
        id = _id(services, "invoice", number, fresh)
    except NothingFound:
        return None
    issued = event_of(services.reading_store().event(id, 1), InvoiceIssued)
    return None if issued is None else issued.number


def _write(story: Story, format: StoryFormat, *, as_json: bool) -> None:
    if as_json or format is StoryFormat.JSON:
        print_json(story.document())
    else:
        out.print(render(story))
    for check in story.broken:
        found = escape(f"{check.name}: expected {check.expected}, found {check.found}")
        err.print(f"[bold red]DOES NOT ADD UP[/] {found}")
    if story.broken:
        raise typer.Exit(1)


def render(story: Story) -> Tree:
    """The story as a tree for the terminal; the number of sums that agree is its last line."""
    tree = Tree(_line(story.root))
    for child in story.root.children:
        _grow(tree, child)
    checks = [check for node in story.root.walk() for check in node.checks]
    broken = len(story.broken)
    verdict = f"[bold red]{broken} of {len(checks)} sums do NOT agree" if broken else f"[green]all {len(checks)} sums agree"
    tree.add(f"{verdict}[/], as of {story.as_of}, as known at position {story.position}")
    return tree


def _grow(tree: Tree, node: Node) -> None:
    branch = tree.add(_line(node))
    for child in node.children:
        _grow(branch, child)


def _line(node: Node) -> Text:
    """What happened, and below it, dimmed, the event that says so."""
    line = Text(node.text, style="bold" if node.record is None and node.children else "", overflow="fold")
    if node.amount is not None:
        line.append(f"  {node.amount} {node.currency}", style="cyan")
    for check in node.checks:
        if not check.holds:
            line.append(f"  ✗ {check.name}: expected {check.expected}, found {check.found}", style="bold red")
    if node.record is not None:
        one = node.record
        late = f" (before {node.dated_before}, the date of what it follows)" if node.dated_before else ""
        line.append(
            f"\n{one.effective_on}{late} #{one.position} {one.event.type} by {one.actor}, command {one.command_id}", style="dim"
        )
    if node.policies:
        versions = ", ".join(f"{name} v{version}" for name, version in node.policies.items())
        line.append(f"{', ' if node.record else chr(10)}policy {versions}", style="dim magenta")
    return line
