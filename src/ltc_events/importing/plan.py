"""Compiles a mapping against the columns of a folder's files, before any row is read."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from ltc_events.aggregates.policies import policy_id
from ltc_events.importing.certainty import REFUSALS, ROW
from ltc_events.importing.documents import COLUMNS, Document, Envelope, begin, make
from ltc_events.importing.engine import Engine, QueryFailed
from ltc_events.importing.errors import MappingInvalid, Mistake
from ltc_events.importing.ledger import BadControl, EventTotal, event_total
from ltc_events.importing.mapping import ControlSection, Folder, SqlFile, StepFile, nearest, read_folder, zone
from ltc_events.importing.queries import Queries, Query
from ltc_events.importing.sources import FILE, LINE, REFUSALS_TYPE, Source, create_table, find_sources, quoted
from ltc_events.importing.state_totals import StateTotal, state_total
from ltc_events.importing.steps import Step, compile_step
from ltc_events.schemas.policy import PolicyKind, PublishPolicy


class Control(NamedTuple):
    """One control total: the source's side as a query of amounts (and of ids), and what of the ledger stands against it."""

    section: ControlSection
    currency: str | None
    ledger: EventTotal | StateTotal
    query: Query
    source: Source


class Table(NamedTuple):
    """A table defined by the mapping."""

    name: str
    query: Query


class Pass(NamedTuple):
    """Steps that go through the same rows in the same order together: `rows` is none of steps that read nothing."""

    rows: str | None
    order: Query | None
    steps: list[Step]


class Plan(NamedTuple):
    """The compiled import."""

    folder: Folder
    envelope: Envelope
    engine: Engine
    sources: list[Source]
    tables: list[Table]
    passes: list[Pass]
    controls: list[Control]
    policies: list[Document]
    source_of: dict[str, Source]
    """The source whose rows the rows of a table are."""


def prepare(mapping: Path, data: Path, stack: ExitStack, only: Mapping[str, Path] | None = None) -> Plan:
    """Read and compile a mapping for the files of `data`; `stack` lets go of it.

    `only`: of these sources of several files, one file. Raises MappingInvalid, DataUnusable.
    """
    folder, mistakes = read_folder(mapping)
    if folder is None:
        raise MappingInvalid(mapping.name, mistakes)
    sources = find_sources(folder.mapping, data, only)
    room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ltc-import-")))
    engine = Engine(room, folder.mapping, [path.absolute() for source in sources for path in source.paths])
    stack.callback(engine.close)
    try:
        return _Compiler(folder, engine, sources, mistakes).plan()
    except QueryFailed as error:
        raise MappingInvalid(mapping.name, [error.mistake("mapping.toml")]) from error


class _Compiler:
    def __init__(self, folder: Folder, engine: Engine, sources: list[Source], mistakes: list[Mistake]) -> None:
        self._folder = folder
        self._engine = engine
        self._sources = sources
        self._mistakes = mistakes
        self._queries = Queries(engine, list(folder.mapping.maps))
        self._source_of: dict[str, Source] = {}
        self._compared: set[str] = set()
        mapping = folder.mapping
        self._envelope = Envelope(mapping.namespace, mapping.source, mapping.actor, zone(mapping.timezone))

    def plan(self) -> Plan:
        """Compile the whole mapping. Raises MappingInvalid with all mistakes."""
        for source in self._sources:
            create_table(source, self._engine)
            hidden = [FILE, LINE, ROW, *([REFUSALS] if source.section.key else [])]
            self._queries.know(source.name, [*source.columns, *hidden], None, raw=True)
            self._source_of[source.name] = self._source_of[f"raw.{source.name}"] = source
        tables = self._tables()
        passes = self._passes()
        self._compared = {one.following.noun for part in passes for one in part.steps if one.following and one.following.compares}
        controls = [found for one in self._folder.mapping.controls if (found := self._control(one)) is not None]
        policies = self._policies()
        if self._mistakes:
            raise MappingInvalid(self._folder.path.name, self._mistakes)
        return Plan(
            self._folder, self._envelope, self._engine, self._sources, tables, passes, controls, policies, self._source_of
        )

    def _tell(self, mistake: Mistake) -> None:
        self._mistakes.append(mistake)

    def _tell_of_part(self, mistake: Mistake) -> None:
        """Of SQL that stands within a setting: line and column are not those of its file."""
        self._tell(mistake._replace(line=0, column=0))

    def _tables(self) -> list[Table]:
        """The tables, each behind those that it reads. One that is named like a source reads that source by this name."""
        left = {one.name: one for one in self._folder.tables}
        reads = {name: self._queries.reads(one.text) & left.keys() - {name} for name, one in left.items()}
        done: list[Table] = []
        while left:
            ready = [name for name in left if not reads[name] & left.keys()]
            if not ready:
                for file in left.values():
                    self._tell(Mistake(file.path, 0, 0, "reads itself through other tables", "take one of them apart"))
                break
            for name in ready:
                found = self._table(left.pop(name))
                if found is not None:
                    done.append(found)
        return done

    def _table(self, file: SqlFile) -> Table | None:
        query = self._queries.compile(file.text, file.path, self._tell)
        if query is None:
            # What reads it is not to be told of as if there were no such table.
            self._queries.tables.pop(file.name, None)
            return None
        try:
            columns = ", ".join(f"{quoted(name)} {_stored(type)}" for name, type in query.columns.items())
            self._engine.run(f"CREATE TABLE main.{quoted(file.name)} ({columns}, {ROW} BIGINT, {REFUSALS} {REFUSALS_TYPE})")
        except QueryFailed as error:
            self._tell(error.mistake(file.path))
            return None
        self._queries.know(file.name, [*query.columns, ROW, REFUSALS], query.table)
        if query.first_table is not None and query.first_table in self._source_of:
            self._source_of[file.name] = self._source_of[query.first_table]
        return Table(file.name, query)

    def _passes(self) -> list[Pass]:
        passes: list[Pass] = []
        order: str | None = None
        rows: str | None = None
        for number, one in enumerate(self._folder.steps):
            step = self._step(one)
            if not number or one.head.rows != rows or (one.head.order is not None and one.head.order != order):
                rows, order = one.head.rows, one.head.order
                passes.append(Pass(rows, self._order(one), []))
            if step is not None:
                passes[-1].steps.append(step)
        return passes

    def _step(self, step: StepFile) -> Step | None:
        rows = step.head.rows
        if rows is not None and rows not in self._queries.tables:
            problem = f"rows: there is no table {rows}"
            fix = nearest(rows, sorted(one for one in self._queries.tables if "." not in one))
            self._tell(Mistake(step.file.path, 1, 1, problem, fix))
            return None
        query = self._queries.compile(step.file.text, step.file.path, self._tell)
        if query is None:
            return None
        first = None if query.first_table is None else self._source_of.get(query.first_table)
        wanted = None if rows is None else self._source_of.get(rows)
        if first is not wanted:
            found = "of no file" if first is None else f"of {first.name}"
            problem = f"its rows are {found}, and rows says {rows or 'nothing'}"
            self._tell(Mistake(step.file.path, 1, 1, problem, f"begin with FROM {rows}, or say rows = {query.first_table!r}"))
        return compile_step(step, query, self._engine, self._envelope, self._tell)

    def _order(self, step: StepFile) -> Query | None:
        if step.head.order is None or step.head.rows not in self._queries.tables:
            return None
        sql = f"SELECT ({step.head.order}) AS key FROM {quoted(str(step.head.rows))}"
        return self._queries.compile(sql, f"{step.file.path} (order)", self._tell_of_part)

    def _control(self, control: ControlSection) -> Control | None:
        where = f"mapping.toml (control {control.name})"
        currency = control.currency or (self._folder.mapping.currency if control.field else None)
        try:
            total = self._ledger_side(control, currency)
        except BadControl as error:
            self._tell(Mistake(where, 0, 0, error.problem, error.fix))
            return None
        if control.rows not in self._source_of:
            fix = nearest(control.rows, sorted(one for one in self._source_of if "." not in one))
            self._tell(Mistake(where, 0, 0, f"rows: there is no table {control.rows} with rows of a source", fix))
            return None
        amount = "1" if control.sum is None else control.sum
        when = control.when or "true"
        subject = "" if control.subject is None else f", ({control.subject}) AS subject"
        sql = (
            f"SELECT CASE WHEN ({when}) THEN CAST(({amount}) AS DECIMAL(38, 9)) END AS amount{subject} "
            f"FROM {quoted(control.rows)} WHERE ({when})"
        )
        query = self._queries.compile(sql, where, self._tell_of_part)
        if query is not None and query.columns.get("subject", "UUID") != "UUID":
            fix = "write ltc_id('order', number)"
            self._tell(Mistake(where, 0, 0, f"subject is {query.columns['subject']}, not an id", fix))
            return None
        return None if query is None else Control(control, currency, total, query, self._source_of[control.rows])

    def _ledger_side(self, control: ControlSection, currency: str | None) -> EventTotal | StateTotal:
        """What of the ledger a control is held against. Raises BadControl."""
        if (control.event is None) == (control.state is None):
            raise BadControl("event or state says what is added up in the ledger", 'give one of them: event = "order.placed"')
        if control.against == "import":
            if control.event is None or control.subject is not None:
                raise BadControl("state and subject go with the ledger", 'add against = "ledger"')
            noun = control.event.partition(".")[0]
            if noun in self._compared:
                problem = f"event: steps send of each {noun} only what is new, so that {control.event} of this run are not all"
                raise BadControl(problem, f'add against = "ledger" and subject = "ltc_id(\'{noun}\', …)"')
        elif control.subject is None:
            raise BadControl(
                "subject is missing: the ledger is asked for what rows name", "add subject = \"ltc_id('order', number)\""
            )
        return event_total(control, currency) if control.state is None else state_total(control, currency)

    def _policies(self) -> list[Document]:
        documents = []
        for one in self._folder.mapping.policies:
            where = f"mapping.toml (policy {one.kind})"
            if one.kind not in list(PolicyKind):
                self._tell(Mistake(where, 0, 0, f"{one.kind} is no kind of policy", nearest(one.kind, list(PolicyKind))))
                continue
            moment = begin(one.time, self._envelope.zone)
            data: dict[str, Any] = {"content": {"kind": one.kind, **one.content}}
            try:
                PublishPolicy.model_validate_json(orjson.dumps(data))
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                path = ".".join(str(part) for part in first["loc"] if part != one.kind)
                self._tell(Mistake(where, 0, 0, f"{path}: {first['msg']}", "give what the policy needs"))
                continue
            id = str(policy_id(PolicyKind(one.kind)))
            documents.append(make(self._envelope, PublishPolicy.type, id, id, moment, None, None, data))
        return documents


def _stored(type: str) -> str:
    """The type of a table's column: one that is NULL in every row is a number to DuckDB."""
    return type.replace('"NULL"', "INTEGER")


def create_work_tables(engine: Engine, sources: Sequence[Source]) -> None:
    """The tables that an import keeps its commands in, out of reach of the mapping's SQL."""
    engine.run("CREATE SCHEMA ltc")
    engine.run(
        "CREATE TABLE ltc.commands (pass INTEGER, place BIGINT, step INTEGER, n BIGINT, "
        f"{', '.join(f'{name} VARCHAR' for name in COLUMNS)}, {ROW} BIGINT, {REFUSALS} {REFUSALS_TYPE})"
    )
    engine.run("CREATE TABLE ltc.unmatched (source VARCHAR, cause VARCHAR, n BIGINT)")
    places = " UNION ALL ".join(f"SELECT {ROW}, {FILE}, {LINE} FROM {one.table}" for one in sources)
    engine.run(f"CREATE VIEW ltc.places AS {places}")
