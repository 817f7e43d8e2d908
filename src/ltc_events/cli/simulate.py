"""`ltc simulate`: a believable company, as commands."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from ltc_events.application.pipeline import CommandPipeline
from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import Ticker, err, print_json, progress
from ltc_events.kernel.errors import LtcError
from ltc_events.schemas.outcome import Outcome
from ltc_events.simulation import simulate as simulated
from ltc_events.store import Role

BATCH = 500


class LedgerNotEmpty(LtcError):
    """the ledger has {events} events: a made-up company would stay among them for good"""

    remedy = (
        "name an empty database with LTC_DATABASE_URL or LTC_HOME, write the commands to a file with --output, "
        "or say --into-existing, with which one that was interrupted goes on, too"
    )


def simulate(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="The same seed gives the same commands, byte for byte.")] = 1,
    customers: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many customers.")] = 100,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How many days of business.")] = 365,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the commands there, one a line (`-`: stdout), and submit none.")
    ] = None,
    into_existing: Annotated[
        bool, typer.Option("--into-existing", help="Submit them also to a ledger that has events: they stay in it for good.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate a company and submit its commands, or write them to a file. Only an empty ledger takes them unasked."""
    commands = simulated(seed, customers, days)
    if output is not None:
        with nullcontext(sys.stdout.buffer) if str(output) == "-" else output.open("wb") as file:
            written = 0
            for command in commands:
                file.write(command + b"\n")
                written += 1
        err.print(f"{written} commands written")
        return
    events, _ = services_of(context).store(Role.WRITER).head()
    if events and not into_existing:
        raise LedgerNotEmpty(events=events)
    with progress("commands") as ticker:
        counts = submit_all(services_of(context).pipeline(), commands, ticker)
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
