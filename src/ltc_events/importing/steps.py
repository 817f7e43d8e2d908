"""Compiles steps to commands: checks columns against the command's schema before rows are read, and builds JSON in SQL."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from ltc_events.importing.changes import CHANGED, Following, compile_following
from ltc_events.importing.documents import (
    DATA,
    ENVELOPE,
    OWN,
    Envelope,
    Type,
    belongs_to_company,
    item_type,
    models_of,
    select_of,
    struct_fields,
)
from ltc_events.importing.engine import Engine
from ltc_events.importing.errors import Mistake
from ltc_events.importing.mapping import StepFile, nearest
from ltc_events.importing.queries import Query
from ltc_events.schemas.base import COMMANDS, Command


class Step(NamedTuple):
    """A step ready to run. `model` is none of a check, which sends nothing. `sql` gives the columns of table `commands`."""

    name: str
    file: StepFile
    model: type[Command] | None
    query: Query
    select: str
    following: Following | None = None

    @property
    def type(self) -> str:
        """The type of its command; empty of a check."""
        return "" if self.model is None else self.model.type


def command_model(name: str) -> type[Command] | tuple[str, str]:
    """The command of this name, its version left out or not: `lead.capture`, `lead.capture.v1`; else problem and fix."""
    if name in COMMANDS:
        return COMMANDS[name]
    versions = [type for type in COMMANDS if type.rpartition(".")[0] == name]
    if len(versions) == 1:
        return COMMANDS[versions[0]]
    if versions:
        return f"{name} has several versions", f"write one of {', '.join(versions)}"
    return f"{name} is no command", nearest(name, sorted({type.rpartition(".")[0] for type in COMMANDS}))


def compile_step(
    step: StepFile, query: Query, engine: Engine, envelope: Envelope, tell: Callable[[Mistake], None]
) -> Step | None:
    """The compiled step; None after mistakes, all of which are reported."""
    found = _Checker(step, query, engine, tell)
    if step.head.name is None:
        return Step(step.file.name, step, None, query, select_of([], query, {}, envelope, compares=False))
    model = command_model(step.head.name)
    if isinstance(model, tuple):
        found.say(*model)
        return None
    following = compile_following(step.head, model, found.given(), found.say)
    models = [model, *(change.model for change in following.changes)] if following else [model]
    fields = found.fields(models)
    found.envelope(model)
    for one in models:
        found.literals(one, fields, engine)
    if found.count:
        return None
    select = select_of(models, query, fields, envelope, compares=following is not None)
    return Step(step.file.name, step, model, query, select, following)


class _Checker:
    def __init__(self, step: StepFile, query: Query, engine: Engine, tell: Callable[[Mistake], None]) -> None:
        self._step = step
        self._query = query
        self._type = engine.type
        self._tell = tell
        self.count = 0

    def say(self, problem: str, fix: str) -> None:
        """Tell of a mistake, at the line of the column that it is about."""
        self.count += 1
        self._tell(Mistake(self._step.file.path, self._line(problem), 0, problem, fix))

    def _line(self, problem: str) -> int:
        words = [one.strip("`.,:") for one in problem.split()]
        for number, line in enumerate(self._step.file.text.splitlines(), 1):
            if any(f" AS {word.lower()}" in f" {line.lower()} ".replace(" as ", " AS ") for word in words[:2] if word):
                return number
        return 1

    def given(self) -> dict[str, Type]:
        """The fields that the columns give, with their types."""
        columns = self._query.columns
        if DATA in columns:
            return struct_fields(self._type(columns[DATA]))
        return {name: self._type(type) for name, type in columns.items() if name not in ENVELOPE}

    def fields(self, models: Sequence[type[Command]]) -> dict[str, Type]:
        """The fields of the command's data with their types; those of further `models` are for what changes."""
        columns = self._query.columns
        given = self.given()
        if DATA in columns:
            others = [one for one in columns if one not in ENVELOPE and one != DATA]
            if others:
                self.say(f"{others[0]} stands beside data", "put all fields into data, or none")
            if not given and not columns[DATA].startswith("STRUCT"):
                self.say(f"data is {columns[DATA]}", "write a struct: {'reason': …} AS data")
        first, *further = models
        known = {name for name in given if name in first.model_fields}
        for model in further:
            part = {name: type for name, type in given.items() if name in model.model_fields and name not in known}
            self._check(part, model, "", partial=True)
            known |= part.keys()
        self._check(
            {name: type for name, type in given.items() if name in first.model_fields or name not in known}, first, "", top=True
        )
        return given

    def _check(
        self, given: dict[str, Type], model: type[BaseModel], path: str, *, top: bool = False, partial: bool = False
    ) -> None:
        known = {name: field for name, field in model.model_fields.items() if name not in OWN}
        for name, type in given.items():
            if name not in known:
                self.say(f"{path}{name}: {model.__name__} has no such field", nearest(name, list(known)))
                continue
            inner = models_of(known[name].annotation)
            nested = struct_fields(item_type(type) or type)
            if len(inner) == 1 and nested:
                self._check(nested, inner[0], f"{path}{name}.")
            elif len(inner) == 1 and not nested and not str(type).startswith(('"NULL"', "INTEGER", "MAP", "JSON")):
                self.say(f"{path}{name} is {type}, and should be a struct", "write {'name': value, …}, or list({…}) of several")
        for name, field in known.items():
            if field.is_required() and name not in given and not partial:
                self.say(f"{path}{name} is missing: {model.__name__} needs it", f"add … AS {name}" if top else f"add '{name}': …")

    def envelope(self, model: type[Command]) -> None:
        """What every command needs beside its data."""
        columns = self._query.columns
        for name, needed, example in (
            ("subject", True, "ltc_id('order', number) AS subject"),
            ("customer", not belongs_to_company(model), "ltc_id('customer', key) AS customer"),
            ("time", True, "ltc_time(sold, '%Y-%m-%d %H:%M:%S') AS time"),
        ):
            if needed and name not in columns:
                self.say(f"{name} is missing: {model.type} needs it", f"add {example}")
        for name in ("subject", "customer"):
            if columns.get(name, "UUID") not in ("UUID", '"NULL"'):
                self.say(f"{name} is {columns[name]}, not an id", f"write ltc_id('{name}', key) AS {name}")
        for name, kinds, fix in (
            ("time", _MOMENTS, "read it with ltc_time or ltc_date"),
            ("effective_on", _MOMENTS, "read it with ltc_date"),
            (CHANGED, _MOMENTS, "read it with ltc_time or ltc_date"),
        ):
            if columns.get(name, "DATE") not in kinds:
                self.say(f"{name} is {columns[name]}, not a time", fix)

    def literals(self, model: type[Command], fields: dict[str, Type], engine: Engine) -> None:
        """Fixed values are checked before any row is read."""
        for name, value in _literals(engine.tree(self._step.file.text)).items():
            if name not in fields or name not in model.model_fields:
                continue
            field = model.model_fields[name]
            try:
                TypeAdapter(field.rebuild_annotation()).validate_json(orjson.dumps(value))
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                self.say(f"{name}: {value!r} cannot be: {first['msg']}", f"write what {model.type} takes for {name}")


_MOMENTS = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", '"NULL"')


def _literals(tree: dict[str, Any]) -> dict[str, str]:
    """The fixed texts among the columns of a query."""
    found = {}
    for one in tree.get("select_list", []):
        if one.get("class") == "CONSTANT" and one["value"]["type"]["id"] == "VARCHAR" and one.get("alias"):
            found[one["alias"]] = one["value"]["value"]
    return found
