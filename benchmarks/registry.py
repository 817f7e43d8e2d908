"""Every benchmark by its name: one line each."""

from collections.abc import Callable, Iterator

from benchmarks import (
    answers,
    commands,
    group_commit,
    importing,
    kafka,
    lone,
    memory,
    pace,
    projecting,
    projector,
    reading,
    rebuilding,
    two_writers,
)
from benchmarks.figure import Figure
from benchmarks.place import Place

BENCHMARKS: dict[str, Callable[[Place], Iterator[Figure]]] = {
    "pace": pace.measure,
    "commands": commands.measure,
    "lone": lone.measure,
    "group_commit": group_commit.measure,
    "two_writers": two_writers.measure,
    "kafka": kafka.measure,
    "projecting": projecting.measure,
    "projector": projector.measure,
    "reading": reading.measure,
    "rebuild": rebuilding.measure,
    "importing": importing.measure,
    "answers": answers.measure,
    "memory": memory.measure,
}
