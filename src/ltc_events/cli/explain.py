"""`ltc explain`: the story of an invoice, as a tree."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

from ltc_events.bootstrap.services import Services
from ltc_events.cli.context import services_of
from ltc_events.cli.options import AsOf, JsonOption, KnownAt
from ltc_events.cli.output import err, out, print_json
from ltc_events.explanation.company_day import company_day
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.explanation.story import Node, Story
from ltc_events.reports.parameters import known_position, parse_as_of
from ltc_events.store import Role

app = typer.Typer(help="Why a figure is what it is, from the events alone.", no_args_is_help=True)


class StoryFormat(StrEnum):
    """How a story is written."""

    TEXT = "text"
    JSON = "json"


@app.callback()
def group() -> None:
    """Why a figure is what it is, from the events alone."""


@app.command()
def invoice(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="The invoice's number, e.g. INV-2026-000042.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Annotated[StoryFormat, typer.Option(help="How to write the story.")] = StoryFormat.TEXT,
    as_json: JsonOption = False,
) -> None:
    """Tell an invoice's story from the lead to the last cent. Exit 1 if a sum does not come out."""
    story = tell(services_of(context), number, as_of, known_at)
    if as_json or format is StoryFormat.JSON:
        print_json(story.document())
    else:
        out.print(render(story))
    for check in story.broken:
        found = escape(f"{check.name}: expected {check.expected}, found {check.found}")
        err.print(f"[bold red]DOES NOT ADD UP[/] {found}")
    if story.broken:
        raise typer.Exit(1)


def tell(services: Services, number: str, as_of: str | None, known_at: str | None) -> Story:
    """The story of an invoice, as the options ask for it."""
    store = services.store(Role.PROJECTOR)
    day = parse_as_of(as_of) or company_day(store, datetime.now(UTC))
    return explain_invoice(store, number, day, known_position(store, known_at))


def render(story: Story) -> Tree:
    """The story as a tree for the terminal; sums that come out are counted at its foot."""
    tree = Tree(_line(story.root))
    for child in story.root.children:
        _grow(tree, child)
    checks = [check for node in story.root.walk() for check in node.checks]
    broken = len(story.broken)
    verdict = f"[bold red]{broken} of {len(checks)} sums do NOT come out" if broken else f"[green]all {len(checks)} sums come out"
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
