"""Computes the commands of all steps in DuckDB and reads them back row by row, with the reasons for refused rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from ltc_events.importing.certainty import REFUSALS, ROW
from ltc_events.importing.documents import COLUMNS, Document, document
from ltc_events.importing.engine import QueryFailed, literal
from ltc_events.importing.errors import MappingInvalid, Mistake
from ltc_events.importing.nearest_words import nearest_word
from ltc_events.importing.plan import Control, Pass, Plan, create_work_tables
from ltc_events.importing.queries import Query
from ltc_events.importing.reconciliation import ControlTotal, RefusedRow
from ltc_events.importing.sources import FILE, LINE, Unreadable, load, quoted
from ltc_events.importing.steps import Step

PART_ROWS = 20_000
"""The commands of so many rows are sorted at once."""


class Command(NamedTuple):
    """One command of a row, by the step that makes it."""

    step: Step
    document: Document
    said: dict[str, Any] | None = None
    """All that the row says, for a step that compares it with what is there."""


class ImportRow(NamedTuple):
    """One row in one pass: `number` is its place among all rows of the import (None: of no file).

    `refused` says why nothing of it is sent; `skipped` why steps left it out.
    """

    number: int | None
    file: str
    line: int
    commands: list[Command]
    refused: list[RefusedRow]
    skipped: list[str]
    unsent: list[str | None]
    """What the commands would have been about that are not made; None: who knows."""


def load_all(plan: Plan, refuse: Callable[[Unreadable], None], begins: Callable[[str], None]) -> int:
    """Load all sources, create the tables, and compute every command; returns the number of rows. Raises MappingInvalid.

    `begins` is called with the name of each file, table and step before it is worked on; what it raises ends the work.
    """
    number = 0
    for source in plan.sources:
        number = load(source, plan.engine, number, refuse, begins)
    create_work_tables(plan.engine, plan.sources)
    for table in plan.tables:
        begins(table.name)
        name = f"main.{quoted(table.name)}"
        plan.engine.run(f"DROP TABLE {name}")  # while it is away, a source of the same name is found by it
        with _unmatched(plan, table.query, table.name, f"tables/{table.name}.sql", name):
            _run(plan, f"CREATE TABLE {name} AS {table.query.sql}", f"tables/{table.name}.sql")
    for place, one in enumerate(plan.passes):
        order = _order(plan, place, one)
        for step_place, step in enumerate(one.steps):
            path = step.file.file.path
            begins(path)
            made = f"(SELECT {ROW} FROM ltc.commands WHERE pass = {place} AND step = {step_place})"
            with _unmatched(plan, step.query, one.rows or "", path, made):
                _run(
                    plan,
                    f"INSERT INTO ltc.commands BY POSITION SELECT {place}, {'o.place' if order else '0'}, {step_place}, s.* FROM "
                    f"(SELECT row_number() OVER () AS n, * FROM ({step.select})) AS s"
                    + (f" LEFT JOIN {order} AS o ON o.{ROW} = s.{ROW}" if order else ""),
                    path,
                )
    return number


@contextmanager
def _unmatched(plan: Plan, query: Query, rows: str, path: str, made: str) -> Iterator[None]:
    """Count the rows that a query's joins leave out: found before it runs, as its table may be called like its source."""
    source = plan.source_of.get(rows)
    if query.unmatched is None or source is None:
        yield
        return
    sql, what = query.unmatched
    _run(plan, f"CREATE OR REPLACE TABLE ltc.open AS SELECT DISTINCT {ROW} FROM ({sql})", path)
    yield
    cause = literal(f"by {path}, without a match in {what}")
    left = f"ltc.open AS u ANTI JOIN {made} AS t ON t.{ROW} = u.{ROW}"
    plan.engine.run(f"INSERT INTO ltc.unmatched SELECT {literal(source.name)}, {cause}, count(*) FROM {left}")


def _order(plan: Plan, place: int, one: Pass) -> str | None:
    """The table of the order that a pass goes in; what it goes by may itself be unreadable, and comes last then."""
    if one.order is None:
        return None
    name = f"ltc.order_{place}"
    sql = f"SELECT {ROW}, row_number() OVER (ORDER BY key NULLS LAST, {ROW}) AS place FROM ({one.order.sql})"
    _run(plan, f"CREATE TABLE {name} AS {sql}", one.steps[0].file.file.path if one.steps else "steps")
    return name


def _run(plan: Plan, sql: str, file: str) -> None:
    try:
        plan.engine.run(sql)
    except QueryFailed as error:
        mistake = Mistake(file, 0, 0, error.problem, error.fix)
        raise MappingInvalid(plan.folder.path.name, [mistake]) from error


def rows_of(plan: Plan, number: int) -> Iterator[ImportRow]:
    """The rows of one pass, in order."""
    steps = plan.passes[number].steps
    reasons = Reasons(plan)
    # By parts: to sort all commands of an import at once takes more memory than a query may have.
    key = "place" if plan.passes[number].order is not None else ROW
    [(first, last)] = plan.engine.run(f"SELECT min({key}), max({key}) FROM ltc.commands WHERE pass = {number}")
    starts = [] if first is None else range(first, last + 1, PART_ROWS)
    parts = [f"c.{key} BETWEEN {start} AND {start + PART_ROWS - 1}" for start in starts]
    for part in (*parts, f"c.{key} IS NULL"):
        found = plan.engine.rows(
            f"SELECT c.step, {', '.join(f'c.{name}' for name in COLUMNS)}, "
            f"CASE WHEN ltc_has(c.{REFUSALS}) THEN CAST(to_json(c.{REFUSALS}) AS VARCHAR) END, c.{ROW}, p.{FILE}, p.{LINE} "
            f"FROM ltc.commands AS c LEFT JOIN ltc.places AS p ON p.{ROW} = c.{ROW} WHERE c.pass = {number} AND {part} "
            f"ORDER BY c.place, c.{ROW}, c.step, c.n"
        )
        for row, group in groupby(found, lambda one: one[-3]):
            yield _row(row, list(group), steps, plan, reasons)


def _row(row: int | None, group: list[tuple[Any, ...]], steps: list[Step], plan: Plan, reasons: "Reasons") -> ImportRow:
    """What a row becomes: a row is read as a whole, so that nothing is sent of one of which a part cannot be read."""
    first = steps[group[0][0]]
    file, line = group[0][-2:] if row is not None else (first.file.file.path, 0)
    made = ImportRow(row, file, line, [], [], [], [])
    seen: set[Any] = set()
    for step_number, id, subject, key, moment, actor, skip, data, said, problem, refusals, *_ in group:
        step = steps[step_number]
        if step.model is not None and (refusals is not None or skip is not None or problem is not None):
            made.unsent.append(subject)
        if refusals is not None:
            for one in orjson.loads(refusals):
                cause = tuple(one.values())
                if cause not in seen:
                    seen.add(cause)
                    made.refused.append(reasons.of(made, one))
        elif skip is not None:
            made.skipped.append(skip)
        elif problem is not None:
            if not made.refused:  # what is missing once is missing in every command
                made.refused.append(reasons.of_command(made, step, problem))
        elif id is not None:
            told = document(plan.envelope, step.type, id, subject, key, moment, actor, data)
            made.commands.append(Command(step, told, None if said is None else orjson.loads(said)))
    if made.refused:
        made.unsent.extend(command.document["subject"] for command in made.commands)
        made.commands.clear()
    return made


class Reasons:
    """Describes the refusals found by lineage."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._place = lru_cache(maxsize=10_000)(self._look_up)

    def of(self, row: ImportRow, refusal: dict[str, Any]) -> RefusedRow:
        """The refusal of a row for a cell of its own or of another row."""
        code, value, want = refusal["code"], refusal["value"] or "", refusal["want"] or ""
        reason, fix = self._words(code, value, want, refusal["column"])
        number = refusal["row"]
        if number is not None and number != row.number:
            file, line = self._place(number)
            if (file, line) != (row.file, row.line):
                reason = f"{reason} (in {file}, line {line})"
        column = "" if code in ("refused_by_mapping", "missing_row") else refusal["column"]
        near = nearest_word(value, self._mapped(want)) if code == "unmapped_value" else ""
        return RefusedRow(row.file, row.line, "", code, column, value, reason, fix, near)

    def of_command(self, row: ImportRow, step: Step, problem: str) -> RefusedRow:
        """The refusal of a row of which a command cannot be made."""
        code, field, value = problem.split("\x1f")
        reason, fix = self._words(code, value, str(self._plan.envelope.zone), f"{field} of {step.type}")
        return RefusedRow(row.file, row.line, "", code, field, value, reason, fix)

    def _look_up(self, number: int) -> tuple[str, int]:
        for source in self._plan.sources:
            if source.owns(number):
                found = self._plan.engine.run(f"SELECT {FILE}, {LINE} FROM {source.table} WHERE {ROW} = {number}")
                if found:
                    return found[0]
        return "", 0

    def _mapped(self, name: str) -> tuple[str, ...]:
        """The words of a map."""
        return tuple(word for word in self._plan.folder.mapping.maps.get(name, {}) if word not in ("", "*"))

    def _words(self, code: str, value: str, want: str, column: str) -> tuple[str, str]:
        if code == "unmapped_value":
            words = self._mapped(want)
            near = nearest_word(value, words)
            hint = f"; did you mean {near}?" if near else f"; it has {', '.join(words)}" if words else ""
            return f"{value!r} is not in maps.{want}", f'add it to maps.{want}, or a "*" for all others{hint}'
        if code not in _WORDS:
            reason, _, fix = want.partition("\x1f")
            return reason, fix
        reason, fix = _WORDS[code]
        return reason.format(value=repr(value), want=want, column=column), fix.format(want=want)


_WORDS = {
    "not_a_number": ("{value} is not a number", "write it like {want}, or give its format in the mapping"),
    "ambiguous_number": ("{value} can be read in more than one way: {want}", "leave one form in the mapping"),
    "number_too_long": ("{value} has more than 18 digits before the point, or 9 behind it", "correct the number in the file"),
    "not_whole": ("{value} is not a whole number", "correct it, or read it with ltc_amount"),
    "division_by_zero": ("something is divided by zero", "correct the file, or write CASE WHEN … <> 0 THEN ltc_div(…) END"),
    "not_a_date": ("{value} is not a date in the form {want}", "correct it, or add its form in the mapping"),
    "ambiguous_date": ("{value} can be read in more than one way: {want}", "leave one form in the mapping"),
    "no_such_time": ("{value} never was in {want}: clocks were put forward", "correct the time or the timezone"),
    "not_a_boolean": ("{value} is neither yes nor no", "write one of {want}; or translate it with ltc_word first"),
    "not_a_uuid": ("{value} is not a UUID", "use ltc_id('kind', column) for keys that are none"),
    "not_an_email": ("{value} is no e-mail address", "correct it, or leave it out: CASE WHEN ltc_is_email(a) THEN a END"),
    "not_a_phone": ("{value} is no telephone number", "correct it, or leave it out: CASE WHEN ltc_is_phone(a) THEN a END"),
    "duplicate_key": ("{column} {value} stands in more than one row", "leave one of the rows in the file"),
    "empty_value": ("{column} is empty", "fill it in the file, or write a fallback: coalesce(column, …)"),
    "missing_row": ("{want}", "correct the key in one of the files; or leave out ltc_needed where there may be none"),
}
"""What is said of a refused cell, by its code: the reason, and what to do."""


def unmatched_rows(plan: Plan) -> list[tuple[str, str, int]]:
    """What inner joins left out: the source, by which table or step and what it looked for, and how many rows."""
    return plan.engine.run("SELECT source, cause, n FROM ltc.unmatched WHERE n > 0")


def survey(plan: Plan, totals: list[ControlTotal]) -> None:
    """The source's side of the control totals, independently of what the steps make of the rows."""
    for control, total in zip(plan.controls, totals, strict=True):
        sql = (
            "SELECT coalesce(sum(amount), 0), count(amount), "
            f"count(*) FILTER (amount IS NULL AND ltc_has({REFUSALS})) FROM ({control.query.sql})"
        )
        try:
            [(amount, rows, unreadable)] = plan.engine.run(sql)
        except QueryFailed as error:
            mistake = Mistake("mapping.toml", 0, 0, f"control {control.section.name}: {error.problem}", error.fix)
            raise MappingInvalid(plan.folder.path.name, [mistake]) from error
        total.source, total.source_rows = plain(amount, 2 if control.section.sum else 0), rows
        total.unreadable = unreadable + control.source.unreadable


def subjects_of(plan: Plan, control: Control) -> Iterator[UUID]:
    """What the rows of a control name, each once; without those whose value cannot be read, which are in neither total."""
    sql = (
        f"SELECT DISTINCT CAST(subject AS VARCHAR) FROM ({control.query.sql}) "
        f"WHERE subject IS NOT NULL AND NOT coalesce(amount IS NULL AND ltc_has({REFUSALS}), false) ORDER BY ALL"
    )
    for (id,) in plan.engine.rows(sql):
        yield UUID(id)


def plain(amount: Decimal, places: int) -> Decimal:
    """An amount without zeros behind it, but with so many places at the least."""
    amount = Decimal(amount)
    least = amount.quantize(Decimal(1).scaleb(-places))
    return least if least == amount else amount.normalize()
