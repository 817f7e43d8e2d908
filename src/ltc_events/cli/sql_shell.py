"""The interactive shell of `ltc sql`, with completion where the terminal supports it, and some commands of its own."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ltc_events.cli.output import err, out
from ltc_events.cli.terminal import for_programs
from ltc_events.kernel.errors import LtcError
from ltc_events.kernel.output_escaping import terminal_text
from ltc_events.querying.completion import completions
from ltc_events.querying.errors import NothingToExport
from ltc_events.querying.exports import suggestion
from ltc_events.querying.rows import SHOWN_MAX, RowFormat, is_number, laid_out, write_rows
from ltc_events.querying.session import TABLES, Found, ReadSession
from ltc_events.querying.statement import code_of, is_amid_comment, split
from ltc_events.reports.parameters import parse_as_of, parse_known_at

NULL = ""
_HELP = (
    ("SELECT …;", "a query, over as many lines as it takes, ended by a semicolon"),
    ("\\d", "the read tables"),
    ("\\d NAME", "what a table holds, and the meaning of its columns"),
    ("\\as-of DATE", "look at what had become effective by then; `\\as-of -`: at all"),
    ("\\known-at TIME|POSITION", "look at what was known then; `\\known-at -`: at all"),
    ("\\format table|csv|json|jsonl", "how rows are written"),
    ("\\timeout SECONDS", "how long a query may take; 0: as long as it does"),
    ("\\timing", "say how long a query took, or no longer"),
    ("\\? or \\help", "this"),
    ("\\q or Ctrl-D", "leave; Ctrl-C ends the query that runs, or drops what was typed"),
)


def show(found: Found, console: Console, notes: Console) -> int:
    """Print the rows as a table with escaped cells; returns their number."""
    rows, is_cut = laid_out(found)
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for field in found.fields:
        table.add_column(Text(terminal_text(field.name)), justify="right" if is_number(field) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(NULL if cell is None else terminal_text(cell)) for cell in row))
    console.print(table)
    count = f"{len(rows):,} rows" if len(rows) != 1 else "1 row"
    known = "" if found.known is None else f", as known at position {found.known.position:,}"
    notes.print(f"({count}{known})", style="dim", markup=False)
    if is_cut:
        notes.print(
            f"there are more: {SHOWN_MAX:,} are shown; --format csv, json or jsonl writes all", style="yellow", markup=False
        )
    return len(rows)


class Shell:
    """Reads lines until it is left. `read` gives a line for a prompt, and raises EOFError at the end."""

    def __init__(self, session: ReadSession, format: RowFormat, read: Callable[[str], str] = input) -> None:
        self._session = session
        self._format = format
        self._read = read
        self._typed = ""
        self._is_timed = False
        self._commands: dict[str, Callable[[str], Any]] = {
            "d": self._describe,
            "as-of": lambda given: self._session.change(as_of=parse_as_of(None if given == "-" else given)),
            "known-at": lambda given: self._session.change(known_at=parse_known_at(None if given == "-" else given)),
            "format": self._set_format,
            "timeout": self._set_timeout,
            "timing": self._set_timing,
        }

    def run(self) -> None:
        """Until `\\q` or the end of the input. An error is told, and the next line is read."""
        _complete(lambda: self._typed)
        err.print("read tables of the ledger; \\? for help, \\q to leave", style="dim", markup=False)
        while True:
            try:
                line = self._read("ltc-> " if self._typed.strip() else "ltc=> ")
            except EOFError:
                out.print()
                return
            except KeyboardInterrupt:
                self._typed = ""
                out.print()
                continue
            try:
                if not self._take(line):
                    return
            except KeyboardInterrupt:
                self._typed = ""
                err.print("cancelled", style="yellow")
            except LtcError as error:
                err.print(f"error: {error.message}" + (f"\n  fix: {error.fix}" if error.fix else ""), style="red", markup=False)

    def _take(self, line: str) -> bool:
        """Take a line; False: it was the last one."""
        if not self._typed.strip() and line.lstrip().startswith("\\"):
            name, _, given = line.strip().removeprefix("\\").partition(" ")
            if name in ("q", "quit"):
                return False
            self._command(name, given.strip())
            return True
        statements, self._typed = split(f"{self._typed}{line}\n")
        if not code_of(self._typed).strip() and not is_amid_comment(self._typed.rstrip("\n")):
            self._typed = ""
        for place, statement in enumerate(statements):
            try:
                self._query(statement)
            except BaseException:  # an interrupt, too: what follows a query that failed is not carried out
                self._typed = ""
                del statements[place:]
                raise
        return True

    def _query(self, statement: str) -> None:
        begun = time.perf_counter()
        with self._session.run(statement) as found:
            if self._format is RowFormat.TABLE:
                show(found, out, err)
            else:
                write_rows(found, self._format, for_programs())
        if self._is_timed:
            err.print(f"{time.perf_counter() - begun:.3f} s", style="dim", markup=False)

    def _command(self, name: str, given: str) -> None:
        if name in self._commands:
            self._commands[name](given)
            return
        if name not in ("?", "help"):
            err.print(f"there is no command \\{name}", style="red", markup=False)
        for usage, meaning in _HELP:
            out.print(f"  {usage:<32} {meaning}", markup=False)

    def _describe(self, given: str) -> None:
        name = given.removeprefix("ltc_read.").rstrip(";")
        if not name:
            rows = [(one.table, one.meaning().partition(". ")[0]) for one in TABLES.values()]
            _table(("table", "holds"), sorted(rows))
            return
        if name not in TABLES:
            raise NothingToExport(name=name, suggestion=suggestion(name))
        table = TABLES[name]
        out.print(terminal_text(table.meaning()), markup=False)
        _table(("column", "type", "meaning"), [(name, one.type, one.meaning) for name, one in table.columns.items()])

    def _set_format(self, given: str) -> None:
        with suppress(ValueError):
            self._format = RowFormat(given)
            return
        err.print(f"rows are written as {', '.join(RowFormat)}", style="red", markup=False)

    def _set_timeout(self, given: str) -> None:
        with suppress(ValueError):
            seconds = float(given)
            if 0 <= seconds <= 86_400:
                self._session.change(timeout_s=seconds)
                return
        err.print("give seconds, from 0 to 86400", style="red", markup=False)

    def _set_timing(self, _: str) -> None:
        self._is_timed = not self._is_timed


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    out.print(table)


def _complete(typed: Callable[[], str]) -> None:
    """Enable completion and history, where Python has readline."""
    try:
        import readline
    except ImportError:
        return
    found: list[str] = []

    def complete(word: str, state: int) -> str | None:
        if state == 0:
            found[:] = completions(word, typed() + readline.get_line_buffer())
        return found[state] if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n,()=<>+-*/;'\"|")
    readline.parse_and_bind("tab: complete")
