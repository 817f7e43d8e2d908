"""What came from outside gives no orders, neither to a terminal nor to a spreadsheet."""

import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from rich.text import Text

from ltc_events.cli import importing, output
from ltc_events.cli.output import PlainConsole, print_table
from ltc_events.importing.reconciliation import Reconciliation, RefusedRow
from ltc_events.kernel.output_escaping import csv_cell, terminal_text

HOSTILE = "\x1b]0;owned\x07\x1b[31m[bold]red[/] \x9b2J\u202egnp.exe\r"
HARMLESS = r"\x1b]0;owned\x07\x1b[31m[bold]red[/] \x9b2J\u202egnp.exe\x0d"


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    console = PlainConsole(file=stream, width=400, highlight=False)
    for module in (output, importing):
        monkeypatch.setattr(module, "out", console)
    return stream


def test_control_characters_are_written_out_and_nothing_else() -> None:
    assert terminal_text(HOSTILE) == HARMLESS
    assert terminal_text("Zo\u00eb \u65e5\u672c\n\tplain [bold]") == "Zo\u00eb \u65e5\u672c\n\tplain [bold]"


@pytest.mark.parametrize("orders", ["\x1b", "\x07", "\x08", "\r", "\x9b", "\x7f", "\u202e", "\u2066"])
def test_whatever_is_printed_no_order_reaches_the_terminal(screen: io.StringIO, orders: str) -> None:
    output.out.print(orders, markup=False)
    output.out.print(Text(f"a{orders}b"))
    print_table(f"t{orders}", [f"c{orders}"], [[f"x{orders}"]])
    assert orders not in screen.getvalue()


def test_a_console_keeps_the_styles_that_it_sets_itself() -> None:
    stream = io.StringIO()
    PlainConsole(file=stream, force_terminal=True, width=40).print("[bold]mine[/]")
    assert "\x1b[1m" in stream.getvalue()


def test_cells_are_no_markup(screen: io.StringIO) -> None:
    print_table("[title]", ["[red]column"], [["[bold]x[/]"], ["[/nothing]"]])
    told = screen.getvalue()
    assert all(one in told for one in ("[title]", "[red]column", "[bold]x[/]", "[/nothing]"))


def test_refused_rows_are_shown_as_they_are(screen: io.StringIO) -> None:
    result = Reconciliation("shop", dry_run=False)
    result.refuse(RefusedRow("a.csv", 2, "", "not_a_number", "amount", HOSTILE, HOSTILE, "correct it"))
    importing.show(result, Path("refused.csv"))
    assert screen.getvalue().count(HARMLESS) == 3
    assert not {"\x1b", "\x9b", "\r", "\x07"} & set(screen.getvalue())


@pytest.mark.parametrize(
    "text", ["=1+2", "+1+2", "-1+2", "-", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "+49 30 123", "-1e", "\uff1d1"]
)
def test_a_text_that_a_spreadsheet_would_work_out_is_a_text(text: str) -> None:
    assert csv_cell(text) == "'" + text


@pytest.mark.parametrize(
    "value", ["", "a=1", "-12.50", "+3", "-1e-5", "0", " =1", "'=1", None, 5, Decimal(-1), date(2026, 1, 1), True]
)
def test_all_else_stays_as_it_is(value: object) -> None:
    assert csv_cell(value) is value
