"""The most memory that each command of the line takes on a store of a million events."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.answers import DEMO_CUSTOMERS
from benchmarks.figure import Figure, not_run, within
from benchmarks.place import DAYS, SEED, Place, say
from ltc_events.reports.catalogue import catalogue
from ltc_events.simulation import ENDS_ON, simulate
from ltc_events.store import Database, Role

LIMIT_MB = 300.0
LARGE_CUSTOMERS = 17_200
"""A year of so many customers is a little over a million events."""
SUBMITTED_CUSTOMERS = 1_000
PROJECT = Path(__file__).resolve().parents[1]


def measure(place: Place) -> Iterator[Figure]:
    """Each command in a process of its own."""
    if not place.is_large:
        yield not_run("memory on 1,000,000 events", "MB", "takes minutes, ask for it with --large")
        return
    is_quick = place.sizes.is_quick
    customers = DEMO_CUSTOMERS // 10 if is_quick else LARGE_CUSTOMERS
    database = place.ledger(customers)
    with TemporaryDirectory(prefix="ltc-bench-") as folder:
        submitted = Path(folder) / "commands.jsonl"
        with submitted.open("wb") as file:
            for document in simulate(SEED + 1, DEMO_CUSTOMERS // 10 if is_quick else SUBMITTED_CUSTOMERS, DAYS):
                file.write(document + b"\n")
        first = (["projections", "catch-up"], ["submit", str(submitted), "--quiet"], ["projections", "catch-up"])
        figures = [_peak(database, folder, command) for command in first]
        with database.connect(Role.READER) as connection:
            row = connection.execute("SELECT number, customer_id FROM ltc_read.invoices ORDER BY number LIMIT 1").fetchone()
        invoice, customer = map(str, row or ("", ""))
        others = (
            *(_report(name, customer) for name in (one.name for one in catalogue())),
            ["explain", "invoice", invoice, "--as-of", str(ENDS_ON)],
            ["events", "tail", "--count", "100000"],
            ["events", "tail", "--count", "100000", "--json"],
            ["doctor"],
        )
        figures += [_peak(database, folder, command) for command in others]
    worst = max(figures, key=lambda one: one.ours or 0)
    events = "few" if is_quick else "1,000,000"
    yield within(f"memory on {events} events, worst: {worst.name}", "MB", worst.ours or 0, LIMIT_MB)
    yield from figures


def _report(name: str, customer: str) -> list[str]:
    return ["report", name, "--as-of", str(ENDS_ON), "--as-is", *(["--customer", customer] if name == "customer" else [])]


def _peak(database: Database, folder: str, arguments: Sequence[str]) -> Figure:
    name = " ".join(word for word in arguments[:2] if not word.startswith(folder))
    say(f"ltc {name} …")
    report = Path(folder) / "peak"
    environment = {**os.environ, "LTC_DATABASE_URL": database.conninfo, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peak", str(report), *arguments],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode not in (0, 1):  # 1: some commands are refused, as they should be
        raise RuntimeError(f"ltc {name}: {done.stderr.decode()[-500:]}")
    return within(f"memory of ltc {name}", "MB", int(report.read_text(encoding="ascii")) / 1e6, LIMIT_MB, is_detail=True)
