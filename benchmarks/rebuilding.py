"""Building read tables anew from the whole store: one, all of them, and what the writers notice of it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import orjson
import psutil

from benchmarks.figure import Figure, Target, against_peer, within
from benchmarks.place import BATCH, Place, company, in_batches, say
from benchmarks.rebuilt import Rebuilt
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bootstrap.services import open_pipeline
from ltc_events.cli.projections.rebuild import PRIORITY_LOWER
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, EventStore, Role

PROJECT = Path(__file__).resolve().parents[1]
ONE = "open_items"
OTHERS = ("invoices", "journal", "revenue_bridge", "timeline")
"""The tables that cost most; the last one takes in every event."""
MARTEN = 8_700
"""Events a second that Marten's documentation states for rebuilding one projection."""
PROCESSES = 2
ALL_MIN = 10_000_000 / 600
MEMORY_LIMIT_MB = 300.0
STRETCHES = 5
"""Of commands while read tables are rebuilt, and as many while nothing else is done."""


def measure(place: Place) -> Iterator[Figure]:
    """Rates are in events of the log, whether or not a table takes them in; indexes and the last steps are counted in."""
    ledger = place.copy_of(place.ledger(place.sizes.customers))
    with EventStore(ledger, Role.PROJECTOR) as store:
        events, _ = store.head()
    place.settle()
    unit, peer = "events/s", "Marten, as published"
    peaks = []
    for name in (ONE,) if place.sizes.is_quick else (ONE, *OTHERS):
        runs = [rebuild(ledger, 1, name) for _ in range(place.sizes.rounds)]
        peaks += [one.peak_bytes for one in runs]
        rate = events / median(one.seconds for one in runs)
        target = Target(ours_min=150_000, ratio_min=15) if name == ONE else None
        yield against_peer(f"rebuilding {name}", unit, rate, peer, MARTEN, target, is_detail=name != ONE)
    runs = [rebuild(ledger, PROCESSES) for _ in range(place.sizes.rounds)]
    peaks += [one.peak_bytes for one in runs]
    rate = events / median(one.seconds for one in runs)
    what = f"rebuilding all {len(PROJECTIONS)} read tables, {PROCESSES} processes"
    yield against_peer(what, unit, rate, "10,000,000 in 10 minutes", ALL_MIN, Target(ours_min=round(ALL_MIN), ratio_min=1))
    yield within("memory of a rebuild, largest process", "MB", max(peaks) / 1e6, MEMORY_LIMIT_MB)
    place.drop(ledger)
    yield from _writes(place)


def rebuild(database: Database, processes: int, *names: str) -> Rebuilt:
    """Rebuild these (none: all) in a process of its own."""
    with _started(database, processes, 0, names) as process:
        answer, trouble = process.communicate()
    if process.returncode:
        raise RuntimeError(trouble.decode()[-1000:])
    return Rebuilt(*orjson.loads(answer))


def server_cpu_s(home: Path) -> float:
    """Processor time that the embedded server of this folder has used so far."""
    pid = int((home / "postgresql" / "postmaster.pid").read_text(encoding="utf-8").partition("\n")[0])
    server = psutil.Process(pid)
    times = server.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in server.children():
        try:
            spent = child.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it has ended meanwhile, and its parent has been told of its time
        total += spent.user + spent.system
    return float(total)


def _writes(place: Place) -> Iterator[Figure]:
    """Commands in turns: while nothing else is done, and while read tables are rebuilt from the same store, as
    `ltc projections rebuild` does it."""
    database = place.copy_of(place.ledger(place.sizes.customers))
    # Other companies than the ledger's, so that none of their identifiers is taken.
    documents = company(place.sizes.customers, seed_more=1)
    stretches = list(in_batches(documents, -(-len(documents) // (2 if place.sizes.is_quick else 2 * STRETCHES))))
    place.settle()
    alone, beside = [], []
    with open_pipeline(database) as pipeline:
        for number, stretch in enumerate(stretches):
            if number % 2:
                before = _written(database)
                with _started(database, 1, PRIORITY_LOWER, (ONE, *OTHERS)) as process:
                    while _written(database) == before and process.poll() is None:
                        sleep(0.05)
                    seconds = _submit(pipeline, stretch)
                    is_over = process.poll() is not None
                    process.kill()
                if is_over:
                    say("the rebuild was over before the commands were: the ratio flatters")
                beside.append((len(stretch), seconds))
            else:
                alone.append((len(stretch), _submit(pipeline, stretch)))
    what = "commands while read tables are rebuilt"
    yield against_peer(what, "commands/s", _rate(beside), "without a rebuild", _rate(alone), Target(ratio_min=0.8))
    place.drop(database)


def _written(database: Database) -> int:
    """Rises with every stretch of the log that a table has taken in."""
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        present = connection.execute("SELECT to_regclass('ltc_read.checkpoints')::text").fetchone()
        if present == (None,):
            return 0
        row = connection.execute("SELECT coalesce(sum(position), 0)::int8 FROM ltc_read.checkpoints").fetchone()
    return int(row[0]) if row else 0


def _submit(pipeline: CommandPipeline, documents: list[bytes]) -> float:
    began = perf_counter()
    for batch in in_batches(documents, BATCH):
        pipeline.submit(batch)
    return perf_counter() - began


def _rate(measured: Sequence[tuple[int, float]]) -> float:
    return sum(commands for commands, _ in measured) / sum(seconds for _, seconds in measured)


@contextmanager
def _started(database: Database, processes: int, steps: int, names: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "benchmarks.rebuilt", database.conninfo, str(processes), str(steps), *names]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()
