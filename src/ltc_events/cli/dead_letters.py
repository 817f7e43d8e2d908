"""`ltc dead-letters`: what came in and was no command."""

from typing import Annotated

import typer

from ltc_events.cli.output import JsonOption, out, print_json, print_table
from ltc_events.cli.session import session_of
from ltc_events.kernel.errors import LtcError
from ltc_events.store import Role

app = typer.Typer(help="What came in and could not be decoded.", no_args_is_help=True)


class NoSuchLetter(LtcError):
    """there is no dead letter {id}"""

    remedy = "`ltc dead-letters list` shows those there are"


@app.command("list")
def list_(
    context: typer.Context,
    after: Annotated[int, typer.Option(min=0, help="Only those with a greater id.")] = 0,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=10_000, help="How many at most.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List dead letters, oldest first."""
    letters = session_of(context).store(Role.PROJECTOR).dead_letters(after, count)
    rows = [(one.id, one.received_at, one.source, one.reason, len(one.raw)) for one in letters]
    names = ("id", "received_at", "source", "reason", "bytes")
    if as_json:
        print_json({"dead_letters": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        print_table("dead letters", names, rows)


@app.command()
def show(context: typer.Context, id: Annotated[int, typer.Argument(min=1)], as_json: JsonOption = False) -> None:
    """Show one dead letter with its bytes, as far as they are text."""
    letters = session_of(context).store(Role.PROJECTOR).dead_letters(id - 1, 1)
    if not letters or letters[0].id != id:
        raise NoSuchLetter(id=id)
    letter = letters[0]
    raw = letter.raw.decode(errors="backslashreplace")
    if as_json:
        print_json({**letter._asdict(), "raw": raw})
    else:
        out.print(f"{letter.id}  {letter.received_at}  {letter.source}\n{letter.reason}", markup=False)
        for name, value in (letter.origin or {}).items():
            out.print(f"{name}: {value}", markup=False)
        out.print(raw, markup=False)
