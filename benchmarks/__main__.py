"""`python -m benchmarks`: run them and print the table, or a JSON document with all figures."""

import argparse
import sys
from platform import python_build, python_compiler, python_implementation, python_version

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure
from benchmarks.place import FULL, QUICK, open_place, say
from benchmarks.registry import BENCHMARKS
from ltc_events.bootstrap.logs import configure_logging
from ltc_events.schemas.registry import COMMANDS, EVENTS


def main() -> None:
    """Run the chosen benchmarks on one server."""
    options = _options()
    configure_logging("console")  # to stderr: stdout is for the figures
    figures: list[Figure] = []
    # The validator of each message is built when the first one comes, which is a matter of starting.
    for model in (*COMMANDS.values(), *EVENTS.values()):
        model.model_rebuild()
    with open_place(QUICK if options.quick else FULL, is_large=options.large) as place:
        for name in options.only or BENCHMARKS:
            say(name)
            figures += BENCHMARKS[name](place)
    if options.json:
        sys.stdout.buffer.write(
            orjson.dumps([one.document() for one in figures], option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )
    else:
        _print(figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Ours beside the peer or the limit, in the same run."
    )
    parser.add_argument(
        "--only", nargs="+", choices=list(BENCHMARKS), metavar="NAME", help=f"only these: {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--json", action="store_true", help="all figures, details included, as a JSON document")
    parser.add_argument("--quick", action="store_true", help="so little that it takes seconds: the figures say nothing")
    parser.add_argument("--large", action="store_true", help="also what needs a store of a million events; takes minutes")
    return parser.parse_args()


def _print(figures: list[Figure]) -> None:
    # How an interpreter was built makes a difference of a fifth and more; it does not tell itself in one way everywhere.
    interpreter = f"{python_implementation()} {python_version()} ({python_build()[1]}; {python_compiler()})"
    table = Table("benchmark", "unit", title="ours beside the peer or the limit, in the same run", caption=interpreter)
    for column in ("ours", "theirs", "ratio"):
        table.add_column(column, justify="right")
    for column in ("peer", "target", "reached"):
        table.add_column(column)
    for one in figures:
        if not one.is_detail:
            reached = "" if one.reached is None else ("yes" if one.reached else "NO")
            numbers = (_number(one.ours), _number(one.theirs), _number(one.ratio))
            table.add_row(one.name, one.unit, *numbers, one.peer, one.target, reached)
    Console(width=None if sys.stdout.isatty() else 180).print(table)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
