"""Output: one JSON document or tables on stdout; progress, logs and errors on stderr."""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from ltc_events.cli.terminal import for_programs
from ltc_events.kernel.output_escaping import terminal_text

if TYPE_CHECKING:
    from rich.progress import Progress


class PlainConsole(Console):
    """A console that escapes control characters in the text that it prints."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """The segments of `renderable`, with escaped text."""
        for segment in super().render(renderable, options):
            text = segment.text
            if segment.control or text.isprintable():
                yield segment
            else:
                yield segment._replace(text=terminal_text(text))


# Where there is no terminal, nobody folds lines for us: a report in a file or a log gets room.
PLAIN_WIDTH = 240
_columns = os.environ.get("COLUMNS", "")
_width = int(_columns) if _columns.isascii() and _columns.isdigit() and 0 < int(_columns) < 100_000 else PLAIN_WIDTH
out = PlainConsole(highlight=False, width=None if sys.stdout.isatty() else _width)
err = PlainConsole(stderr=True, highlight=False)
log = structlog.get_logger()
PLAIN_PROGRESS_EVERY_S = 10.0


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def print_json(document: Any) -> None:
    """One JSON document, for programs."""
    for_programs().write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=_text).decode())


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table, for people."""
    from rich.table import Table

    table = Table(title=Text(title), title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else terminal_text(str(cell))) for cell in row))
    out.print(table)


class Ticker:
    """Counts what is done: a bar on a terminal; elsewhere a log line every 10 seconds, with the rate and what is left."""

    def __init__(self, title: str, bar: "Progress | None", total: int | None) -> None:
        self._title = title
        self._bar = bar
        self._task = None if bar is None else bar.add_task(title, total=total)
        self._total = total
        self.done = 0
        self._told, self._told_at = 0, time.monotonic()

    def advance(self, count: int) -> None:
        """Add to the amount done."""
        self.done += count
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)
        elif (seconds := time.monotonic() - self._told_at) >= PLAIN_PROGRESS_EVERY_S:
            left = {} if self._total is None else {"left": max(self._total - self.done, 0)}
            log.info("progress", step=self._title, done=self.done, **left, per_second=round((self.done - self._told) / seconds))
            self._told, self._told_at = self.done, time.monotonic()

    def reach(self, done: int, total: int | None) -> None:
        """Set the amount done, and the total."""
        self.expect(total)
        self.advance(done - self.done)

    def expect(self, total: int | None) -> None:
        """Set the total."""
        self._total = total
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=total)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Ticker]:
    """Show progress on stderr while the block runs."""
    if not err.is_terminal:
        yield Ticker(title, None, total)
        return
    from ltc_events.cli.progress_bar import progress_bar

    with progress_bar(err) as bar:
        yield Ticker(title, bar, total)
