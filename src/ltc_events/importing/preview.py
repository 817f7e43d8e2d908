"""The first rows of an import as commands, side by side with the cells that they come from; nothing is sent."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ltc_events.importing.mapping import MAPPING_FILE
from ltc_events.importing.plan import Plan, prepare
from ltc_events.importing.reconciliation import RefusedRow
from ltc_events.importing.rows import ImportRow, load_all, rows_of
from ltc_events.importing.sources import quoted
from ltc_events.schemas.base import WIRE_PREFIX


class Preview(NamedTuple):
    """One row in one pass: its cells as they are in the file, and the commands that it becomes, or why it becomes none."""

    file: str
    line: int
    cells: dict[str, str]
    commands: list[tuple[str, dict[str, Any]]]
    refused: list[RefusedRow]
    skipped: list[str]


def preview(mapping: Path, folder: Path, rows: int) -> list[Preview]:
    """The first `rows` rows of each pass of a mapping. Raises MappingInvalid or DataUnusable."""
    with ExitStack() as stack:
        plan = prepare(mapping.parent if mapping.name == MAPPING_FILE else mapping, folder, stack)
        load_all(plan, lambda _: None, lambda _: None)
        return [
            _preview(plan, row) for number in range(len(plan.passes)) for row in islice(_closing(rows_of(plan, number)), rows)
        ]


def _closing(rows: Iterator[ImportRow]) -> Iterator[ImportRow]:
    yield from rows


def _preview(plan: Plan, row: ImportRow) -> Preview:
    commands = []
    for command in row.commands:
        document = command.document
        shown = {"subject": document["subject"], "time": document["time"], **document["data"]}
        commands.append((document["type"].removeprefix(WIRE_PREFIX), shown))
    return Preview(row.file, row.line, _cells(plan, row.number), commands, row.refused, row.skipped)


def _cells(plan: Plan, number: int | None) -> dict[str, str]:
    for source in plan.sources:
        if number is not None and source.owns(number):
            columns = ", ".join(quoted(one) for one in source.columns)
            [found] = plan.engine.run(f"SELECT {columns} FROM {source.table} WHERE _row = {number}")
            return {name: cell or "" for name, cell in zip(source.columns, found, strict=True)}
    return {}
