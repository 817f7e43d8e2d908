"""`ltc find`: what a number, name, reference or id means."""

from typing import Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption, MinPosition, WaitOption
from ltc_events.cli.output import err, print_json, print_table
from ltc_events.freshness import POSITION_WAIT_S, Freshness
from ltc_events.querying.finding import FOUND_MAX, find
from ltc_events.store import Role

TABLES = frozenset({"search_terms", "customers"})


def find_(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="A number, name, title, reference of another system, e-mail address or id.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="The most candidates to show.")] = FOUND_MAX,
    min_position: MinPosition = None,
    wait: WaitOption = POSITION_WAIT_S,
    as_json: JsonOption = False,
) -> None:
    """Find records of any kind by name, number, reference or a prefix of a word; exit 1 if there are none."""
    database = services_of(context).reading
    Freshness(True, min_position, wait).reach(database, TABLES)
    with database.connect(Role.READER) as connection:
        candidates = find(connection, text, limit)
    if as_json:
        found = [one.document() for one in candidates.found]
        print_json({"text": text, "candidates": found, "more": candidates.is_cut})
        return
    rows = [
        (
            one.kind.replace("_", " "),
            one.called,
            f"{one.system} {one.means}" if one.system else one.means,
            one.term,
            one.customer,
            one.id,
        )
        for one in candidates.found
    ]
    print_table(f"found: {text}", ("kind", "called", "found by", "which is", "customer", "id"), rows)
    if candidates.is_cut:
        err.print("there are more: write more of it", style="yellow", markup=False)
