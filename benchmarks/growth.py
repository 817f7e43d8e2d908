"""Does a rebuild cost as much per event on a large store as on a small one? `python -m benchmarks.growth` finds out.

For each size a ledger is made (see `benchmarks.loading`), unless the folder has it from before: 10,000,000 events take half an
hour to make and 12 GB. Then all read tables are built from it by two processes, and one of them by itself. What was measured is
kept in `docs/rebuild-speed.json`, where a size that is measured again replaces itself; the table and the plot are made from it.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.place import say
from benchmarks.plot import plot
from benchmarks.rebuilding import ONE, PROCESSES, PROJECT, rebuild, server_cpu_s
from ltc_events.projections.catalog.lifecycle import State, states_of
from ltc_events.projections.rebuilding.switch import drop
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, EventStore, Role, open_database

SIZES = (100_000, 1_000_000, 10_000_000)
KEPT = PROJECT / "docs" / "rebuild-speed.json"
PAGE = KEPT.with_suffix(".md")
PICTURE = KEPT.with_suffix(".svg")


class Measured(NamedTuple):
    """All read tables built from a store of so many events, and one of them alone (`one_seconds`). `load`: processes that wanted
    a processor while all were built, on average, others' included."""

    events: int
    tables: int
    processes: int
    cores: int
    seconds: float
    python_s: float
    server_s: float
    peak_mb: float
    load: float
    one_seconds: float

    @property
    def cpu_us(self) -> float:
        """Processor time per event, whoever used it."""
        return (self.python_s + self.server_s) / self.events * 1e6


def main() -> None:
    """Measure some sizes, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description="The cost of a rebuild by size of the store."
    )
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="events; none: only write the page")
    parser.add_argument("--home", type=Path, required=True, help="folder of the embedded server, with room for the ledgers")
    options = parser.parse_args()
    known = {one.events: one for one in _kept()}
    for size in options.sizes:
        database = _ledger(options.home.resolve(), size)
        found = _measure(database, options.home.resolve())
        known[found.events] = found
        _write([known[events] for events in sorted(known)])
    _write([known[events] for events in sorted(known)])


def _ledger(home: Path, size: int) -> Database:
    server = open_database(None, home).conninfo
    name = f"growth_{size}"
    with psycopg.connect(server, autocommit=True) as connection:
        present = connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if present is None:
        command = [sys.executable, "-m", "benchmarks.loading", str(size), "--home", str(home), "--database", name]
        subprocess.run(command, cwd=PROJECT, check=True)
    return Database(make_conninfo(server, dbname=name))


def _measure(database: Database, home: Path) -> Measured:
    with EventStore(database, Role.PROJECTOR) as store:
        events, _ = store.head()
    with database.connect(Role.OWNER, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    say(f"{len(PROJECTIONS)} read tables are built from {events:,} events …")
    before, began = server_cpu_s(home), time.monotonic()
    load = os.getloadavg()[2]
    found = rebuild(database, PROCESSES)
    seconds = time.monotonic() - began
    loads = os.getloadavg()
    load = loads[0] if seconds < 300 else loads[1] if seconds < 900 else (load + loads[2]) / 2
    server = server_cpu_s(home) - before
    say(f"{found.seconds:,.0f} s, {events / found.seconds:,.0f} events/s")
    _remove(database)
    one = rebuild(database, 1, ONE)
    say(f"{ONE} alone: {one.seconds:,.1f} s, {events / one.seconds:,.0f} events/s")
    _remove(database)
    cores, peak_mb = os.cpu_count() or 1, found.peak_bytes / 1e6
    return Measured(
        events, len(PROJECTIONS), PROCESSES, cores, found.seconds, found.cpu_s, server, peak_mb, load, round(one.seconds, 3)
    )


def _remove(database: Database) -> None:
    """The tables that were built, so that the next run begins as this one did."""
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        states = states_of(connection)
    for projection in PROJECTIONS:
        for build, state in states.items():
            if build.name == projection.table and state is State.READY:
                drop(database, projection, build, by="benchmark", reason="measured")


def _kept() -> list[Measured]:
    return [Measured(**one) for one in orjson.loads(KEPT.read_bytes())] if KEPT.exists() else []


def _write(measured: Sequence[Measured]) -> None:
    documents = [one._asdict() for one in measured]
    KEPT.write_bytes(orjson.dumps(documents, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    PAGE.write_text("\n".join(_page(measured)) + "\n", encoding="utf-8")
    PICTURE.write_text(plot([(one.events, one.cpu_us) for one in measured]), encoding="utf-8")


def _page(measured: Sequence[Measured]) -> Iterator[str]:
    yield "# The cost of a rebuild by size of the store"
    yield ""
    yield "Made by `python -m benchmarks.growth --home DIR`, which makes the ledgers too. All read tables are built from the"
    yield "whole store by two processes, with PostgreSQL on the same cores; then one of them, by one process. `load` is how many"
    yield "processes wanted a core on average, ours and others': beyond the number of cores all of them wait, and share caches."
    yield "Then seconds say nothing, and processor time says too much."
    yield ""
    columns = ("events", "tables", "seconds", "events/s", "CPU µs an event", "Python", "server", "largest process", "load, cores")
    yield f"| {' | '.join(columns)} | `{ONE}`, events/s |"
    yield f"|{' ---: |' * (len(columns) + 1)}"
    for one in measured:
        alone = one.events / one.one_seconds
        python, server = one.python_s / one.events * 1e6, one.server_s / one.events * 1e6
        yield (
            f"| {one.events:,} | {one.tables} | {one.seconds:,.0f} | {one.events / one.seconds:,.0f} | {one.cpu_us:.0f} |"
            f" {python:.0f} | {server:.0f} | {one.peak_mb:.0f} MB | {one.load:.0f}, {one.cores} | {alone:,.0f} |"
        )
    yield ""
    yield f"![processor time per event by size of the store]({PICTURE.name})"


if __name__ == "__main__":
    main()
