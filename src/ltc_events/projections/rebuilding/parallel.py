"""Rebuilds tables in several processes, distributed by expected duration."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from typing import Any, cast

from ltc_events.kernel.errors import LtcError
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import FoldStopped, WorkerEnded
from ltc_events.projections.declaration.projection import Projection, built
from ltc_events.projections.rebuilding.job import Progress, Report, run_job
from ltc_events.schemas.base import Event
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role

SAMPLE_EVENTS = 4_000
# What it costs to read and decode an event, in operations.
_READING = 1.5


def run_in_parallel(
    database: Database,
    projections: Sequence[type[Projection]],
    builds: Sequence[Build],
    processes: int,
    *,
    by: str,
    page_events: int,
    report: Report | None,
) -> dict[Build, FoldStopped]:
    """Run `bring` in several processes, which end with this one, however it ends."""
    with EventStore(database, Role.PROJECTOR) as store:
        head, _ = store.head()
        sample = store.read(max(0, head // 2 - SAMPLE_EVENTS // 2), SAMPLE_EVENTS)
    number = dict(zip(projections, (build.build for build in builds), strict=True))
    # Not forked: this process may have threads, and connections that would be shared.
    context = multiprocessing.get_context("spawn")
    team = []
    for part in share_out(projections, sample, processes):
        ours, theirs = context.Pipe(duplex=False)
        work = (database, [(one, number[one]) for one in part], by, page_events, theirs)
        member = context.Process(target=_work, args=work, daemon=True)
        with _deaf_to_interrupts():
            member.start()
        theirs.close()
        team.append((member, ours))
    try:
        return _listen([pipe for _, pipe in team], report)
    finally:
        for member, pipe in team:
            pipe.close()
            member.terminate()
            member.join()


def share_out(projections: Sequence[type[Projection]], sample: Sequence[Record], parts: int) -> list[list[type[Projection]]]:
    """The projections in parts of about equal weight, estimated from their operations for a sample of the log."""
    weights = {one: _weight(one, sample) for one in projections}
    seen: dict[type[Event], int] = {}
    for record in sample:
        seen[type(record.event)] = seen.get(type(record.event), 0) + 1
    shares: list[list[type[Projection]]] = [[] for _ in range(parts)]
    types: list[set[type[Event]]] = [set() for _ in range(parts)]
    loads = [0.0] * parts
    for one in sorted(projections, key=weights.__getitem__, reverse=True):
        heavier = [
            load + weights[one] + _READING * sum(seen.get(kind, 0) for kind in one.handlers if kind not in known)
            for load, known in zip(loads, types, strict=True)
        ]
        lightest = heavier.index(min(heavier))
        loads[lightest] = heavier[lightest]
        shares[lightest].append(one)
        types[lightest].update(one.handlers)
    return [share for share in shares if share]


def _weight(projection: type[Projection], sample: Sequence[Record]) -> int:
    folded, weight = projection(), 0
    for record in sample:
        handler = projection.handlers.get(type(record.event))
        if handler is not None:
            with suppress(Exception):  # it stops the projection when it comes to be filled
                weight += sum(1 for _ in handler(folded, record.event, record))
    return weight


def _listen(pipes: Sequence[Pipe], report: Report | None) -> dict[Build, FoldStopped]:
    stopped: dict[Build, FoldStopped] = {}
    latest: dict[Pipe, Progress] = {}
    waiting, began = list(pipes), time.monotonic()
    began_at: int | None = None
    while waiting:
        for pipe in cast(list[Pipe], wait(waiting)):
            try:
                message = pipe.recv()
            except EOFError:
                raise WorkerEnded from None
            if not isinstance(message, Progress):
                waiting.remove(pipe)
                error, found = message
                if error:
                    kind, details = error
                    raise kind(**details)
                stopped |= {build: FoldStopped(**details) for build, details in found.items()}
                continue
            latest[pipe] = message
            if report and len(latest) == len(pipes):
                hindmost = min(latest.values(), key=lambda one: one.position)
                began_at = hindmost.position if began_at is None else began_at
                rate = (hindmost.position - began_at) / max(time.monotonic() - began, 1e-6)
                left = (hindmost.head - hindmost.position) / rate if rate else None
                report(hindmost._replace(events_per_s=rate, seconds_left=left))
    return stopped


def _work(database: Database, part: Sequence[tuple[type[Projection], int]], by: str, page_events: int, pipe: Pipe) -> None:
    """One of the processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    error: tuple[type[Exception], dict[str, Any]] | None = None
    found: dict[Build, dict[str, Any]] = {}
    try:
        known = [built(one, build) for one, build in part]
        stopped = run_job(database, known, by=by, page_events=page_events, report=pipe.send)
        found = {build: one.details for build, one in stopped.items()}
    except LtcError as refusal:
        error = type(refusal), refusal.details
    pipe.send((error, found))


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes with SIGINT ignored from the beginning, so that the parent alone decides on Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # It unblocks SIGINT when it starts, which the first process to be started would have it do.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
