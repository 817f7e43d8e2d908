"""`ltc simulate`: a believable company, as commands."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, print_json, progress
from ltc_events.simulation import simulate as simulated
from ltc_events.simulation.submission import require_empty, submit_all


def simulate(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="The same seed gives the same commands, byte for byte.")] = 1,
    customers: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of customers.")] = 100,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="Number of business days.")] = 365,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the commands to this file, one per line (`-`: stdout), and submit none."),
    ] = None,
    into_existing: Annotated[
        bool,
        typer.Option("--into-existing", help="Submit also to a ledger that has events; the simulated ones cannot be removed."),
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
    services = services_of(context)
    require_empty(services, into_existing=into_existing)
    with progress("commands") as ticker:
        told = submit_all(services.pipeline(), commands, ticker.advance)
    if as_json:
        print_json(told.document())
    else:
        err.print(", ".join(f"{count} {status}" for status, count in told.by_status.items()))
