"""Where things go: one JSON document or tables on stdout; progress, logs and errors on stderr."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import orjson
import structlog
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

# Where there is no terminal, nobody folds lines for us: a report in a file or a log gets room.
PLAIN_WIDTH = 240
out = Console(highlight=False, width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", PLAIN_WIDTH)))
err = Console(stderr=True, highlight=False)
log = structlog.get_logger()
PLAIN_PROGRESS_EVERY = 50_000


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def print_json(document: Any) -> None:
    """One JSON document, for programs."""
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=_text).decode())


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write what shall be at `path` when the block ends, and not before; if it fails, nothing is left."""
    if path.exists() and not path.is_file():  # a device or a pipe
        yield path
        return
    path = path.resolve()  # what a link leads to is written, not the link
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table, for people."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(table)


class RateColumn(ProgressColumn):
    """How much is done a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


class Ticker:
    """Counts what is done: a bar on a terminal, a log line now and then elsewhere."""

    def __init__(self, title: str, bar: Progress | None, total: int | None) -> None:
        self._title = title
        self._bar = bar
        self._task = None if bar is None else bar.add_task(title, total=total)
        self.done = 0

    def advance(self, count: int) -> None:
        """So much more is done."""
        before, self.done = self.done, self.done + count
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)
        elif before // PLAIN_PROGRESS_EVERY != self.done // PLAIN_PROGRESS_EVERY:
            log.info("progress", step=self._title, done=self.done)

    def expect(self, total: int | None) -> None:
        """So much there is to do in all."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=total)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Ticker]:
    """Show progress on stderr while the block runs."""
    if not err.is_terminal:
        yield Ticker(title, None, total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        yield Ticker(title, bar, total)
