"""`ltc simulate`: a believable company, as commands."""

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from ltc_events.application.pipeline import CommandPipeline
from ltc_events.cli.output import JsonOption, Ticker, err, print_json, progress
from ltc_events.cli.session import session_of
from ltc_events.schemas.outcome import Outcome
from ltc_events.simulation import simulate as simulated

BATCH = 500


def simulate(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="The same seed gives the same commands, byte for byte.")] = 1,
    customers: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many customers.")] = 100,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How many days of business.")] = 365,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the commands there, one a line (`-`: stdout), and submit none.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate a company and submit its commands, or write them to a file."""
    commands = simulated(seed, customers, days)
    if output is not None:
        with sys.stdout.buffer if str(output) == "-" else output.open("wb") as file:
            written = 0
            for command in commands:
                file.write(command + b"\n")
                written += 1
        err.print(f"{written} commands written")
        return
    with progress("commands") as ticker:
        counts = submit_all(session_of(context).pipeline(), commands, ticker)
    if as_json:
        print_json({"commands": ticker.done, "by_status": dict(counts)})
    else:
        err.print(", ".join(f"{count} {status}" for status, count in counts.items()))


def submit_all(pipeline: CommandPipeline, commands: Iterator[bytes], ticker: Ticker) -> Counter[str]:
    """Submit commands in batches; how many ended how."""
    counts: Counter[str] = Counter()
    while batch := list(islice(commands, BATCH)):
        for answer in pipeline.submit(batch):
            counts[answer.document()["status"] if isinstance(answer, Outcome) else "undecodable"] += 1
        ticker.advance(len(batch))
    return counts
