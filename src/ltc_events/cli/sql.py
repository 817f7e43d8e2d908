"""`ltc sql`: queries of one's own on the read tables, as the reader, one by one or in a shell."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import AsOf, FreshOption, JsonOption, KnownAt, MinPosition, WaitOption
from ltc_events.cli.output import err, out, progress
from ltc_events.cli.sql_shell import Shell, show
from ltc_events.cli.terminal import for_programs
from ltc_events.freshness import POSITION_WAIT_S, Freshness
from ltc_events.querying.errors import SeveralStatements
from ltc_events.querying.rows import RowFormat, write_rows
from ltc_events.querying.session import TABLES, TIMEOUT_S, Asked, ReadSession
from ltc_events.querying.statement import code_of, split
from ltc_events.querying.whole_file import whole_file
from ltc_events.reports.parameters import parse_as_of, parse_known_at


def sql(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="The query; default: a shell, or the queries on stdin.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Annotated[RowFormat, typer.Option(help="Output format.")] = RowFormat.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout.")] = None,
    timeout: Annotated[float, typer.Option(min=0, max=86_400, help="Timeout of a query in seconds; 0: none.")] = TIMEOUT_S,
    fresh: FreshOption = True,
    min_position: MinPosition = None,
    wait: WaitOption = POSITION_WAIT_S,
    as_json: JsonOption = False,
) -> None:
    """Query the read tables, read-only: one query, a shell, or the queries on stdin."""
    asked = Asked(parse_as_of(as_of), parse_known_at(known_at), timeout)
    chosen = RowFormat.JSON if as_json else format
    text = sys.stdin.read() if query is None and not sys.stdin.isatty() else query
    statements = None if text is None else _statements(text)
    if output is not None and (statements is None or chosen is RowFormat.TABLE):
        raise typer.BadParameter("a file takes the rows of one query, as csv, json or jsonl", param_hint="--output")
    if statements is not None and len(statements) != 1 and (query is not None or chosen is not RowFormat.TABLE):
        raise SeveralStatements(count=len(statements))
    services = services_of(context)
    with progress("read tables") as ticker:
        Freshness(fresh, min_position, wait).reach(services.reading, TABLES.keys(), ticker.reach)
    session = ReadSession(services.reading, asked)
    try:
        if statements is None:
            Shell(session, chosen).run()
            return
        for statement in statements:
            _run(session, statement, chosen, output)
    finally:
        session.close()


def _statements(text: str) -> list[str]:
    ended, rest = split(text)
    return [*ended, rest.strip()] if code_of(rest).strip() else ended


def _run(session: ReadSession, statement: str, format: RowFormat, output: Path | None) -> None:
    with session.run(statement) as found:
        if output is not None:
            with whole_file(output) as path, path.open("w", encoding="utf-8", newline="") as stream:
                write_rows(found, format, stream)
        elif format is RowFormat.TABLE:
            show(found, out, err)
        else:
            write_rows(found, format, for_programs())
