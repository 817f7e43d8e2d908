"""From a step's columns to commands: checked against the command's schema before any row is read, and written as JSON in SQL."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, get_args, get_origin

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from ltc_events.importing.certainty import REFUSALS, ROW
from ltc_events.importing.changes import CHANGED, Following, compile_following
from ltc_events.importing.engine import Engine
from ltc_events.importing.errors import Mistake
from ltc_events.importing.mapping import StepFile, nearest
from ltc_events.importing.queries import Query
from ltc_events.importing.sources import quoted
from ltc_events.schemas.base import COMMANDS, Command
from ltc_events.schemas.registry import COMPANY_NOUNS

ENVELOPE = ("subject", "customer", "time", "effective_on", "actor", "skip", CHANGED)
_CARRIED = ENVELOPE[:-1]
"""What table `commands` has a column for; when a row was changed goes with its data."""
_DATA = "data"
CHANGED_KEY = "_changed"
"""What carries the column `changed` beside a command's data; no field of a command is called so."""
_OWN = frozenset({"occurred_at", "effective_on"})


class Step(NamedTuple):
    """A step ready to run. `model` is none of a check, which sends nothing. `sql` gives the columns of table `commands`."""

    name: str
    file: StepFile
    model: type[Command] | None
    query: Query
    select: str
    required: "Required"
    following: Following | None = None

    @property
    def type(self) -> str:
        """The type of its command; empty of a check."""
        return "" if self.model is None else self.model.type


class Required(NamedTuple):
    """Fields that a command's schema needs, and those of the tables and lists within."""

    fields: tuple[str, ...]
    inner: tuple[tuple[str, "Required"], ...]

    def missing(self, data: dict[str, Any], path: str = "") -> str | None:
        """The first needed field that has no value."""
        for name in self.fields:
            if name not in data:
                return f"{path}{name}"
        for name, inner in self.inner:
            value = data.get(name)
            if isinstance(value, dict):
                found = inner.missing(value, f"{path}{name}.")
                if found:
                    return found
            elif isinstance(value, list):
                for number, one in enumerate(value, 1):
                    found = inner.missing(one, f"{path}{name}[{number}].") if isinstance(one, dict) else None
                    if found:
                        return found
        return None


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


def belongs_to_company(model: type[Command]) -> bool:
    """Whether a command's subject is its own key."""
    noun = model.type.partition(".")[0]
    return noun in COMPANY_NOUNS or noun == "customer"


def compile_step(step: StepFile, query: Query, engine: Engine, tell: Callable[[Mistake], None]) -> Step | None:
    """The step with its columns checked; None when there are mistakes, of which all are told."""
    found = _Checker(step, query, tell)
    if step.head.name is None:
        return Step(step.file.name, step, None, query, _select({}, [], query), Required((), ()))
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
    own = {name: type for name, type in fields.items() if name in model.model_fields}
    return Step(step.file.name, step, model, query, _select(fields, models, query), required_of(model, own), following)


class _Checker:
    def __init__(self, step: StepFile, query: Query, tell: Callable[[Mistake], None]) -> None:
        self._step = step
        self._query = query
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

    def given(self) -> dict[str, str]:
        """The fields that the columns give, with their types."""
        columns = self._query.columns
        if _DATA in columns:
            return dict(struct_fields(columns[_DATA]))
        return {name: type for name, type in columns.items() if name not in ENVELOPE}

    def fields(self, models: Sequence[type[Command]]) -> dict[str, str]:
        """The fields of the command's data with their types; those of further `models` are for what changes."""
        columns = self._query.columns
        given = self.given()
        if _DATA in columns:
            others = [one for one in columns if one not in ENVELOPE and one != _DATA]
            if others:
                self.say(f"{others[0]} stands beside data", "put all fields into data, or none")
            if not given and not columns[_DATA].startswith("STRUCT"):
                self.say(f"data is {columns[_DATA]}", "write a struct: {'reason': …} AS data")
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
        self, given: dict[str, str], model: type[BaseModel], path: str, *, top: bool = False, partial: bool = False
    ) -> None:
        known = {name: field for name, field in model.model_fields.items() if name not in _OWN}
        for name, type in given.items():
            if name not in known:
                self.say(f"{path}{name}: {model.__name__} has no such field", nearest(name, list(known)))
                continue
            inner = models_of(known[name].annotation)
            nested = dict(struct_fields(type.removesuffix("[]")))
            if len(inner) == 1 and nested:
                self._check(nested, inner[0], f"{path}{name}.")
            elif len(inner) == 1 and not nested and not type.startswith(('"NULL"', "INTEGER", "MAP", "JSON")):
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

    def literals(self, model: type[Command], fields: dict[str, str], engine: Engine) -> None:
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


def _select(fields: dict[str, str], models: Sequence[type[Command]], query: Query) -> str:
    """The query's rows as those of table `commands`: texts, and the data as JSON."""
    columns = query.columns
    shown = [f"CAST({name} AS VARCHAR)" if name in columns else "NULL" for name in _CARRIED]
    if "time" in columns and columns["time"] == "TIMESTAMP WITH TIME ZONE":
        shown[2] = "strftime(time AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%f') || 'Z' || CAST(CAST(time AS DATE) AS VARCHAR)"
    prefix = "data." if _DATA in columns else ""
    parts = [
        f"{_key(name)}: "
        + as_json(prefix + quoted(name), type, _annotation(next((one for one in models if name in one.model_fields), None), name))
        for name, type in fields.items()
    ]
    if CHANGED in columns:
        parts.append(f"{_key(CHANGED_KEY)}: {as_json(quoted(CHANGED), columns[CHANGED], None)}")
    data = f"CAST(to_json({{{', '.join(parts)}}}) AS VARCHAR)" if parts else "'{}'"
    return f"SELECT {', '.join(shown)}, {data}, {ROW}, {REFUSALS} FROM ({query.sql}) AS step"


def _key(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def as_json(value: str, type: str, annotation: Any, depth: int = 0) -> str:
    """An expression whose JSON is what the command's schema reads: exact numbers and dates as text."""
    inner = models_of(annotation)
    model = inner[0] if len(inner) == 1 else None
    if type.endswith("[]"):
        one = f"one{depth}"
        return f"list_transform({value}, lambda {one}: {as_json(one, type[:-2], annotation, depth + 1)})"
    if type.startswith("STRUCT"):
        parts = [
            f"{_key(name)}: {as_json(f'{value}.{quoted(name)}', field_type, _annotation(model, name), depth)}"
            for name, field_type in struct_fields(type)
        ]
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE {{{', '.join(parts)}}} END"
    if type.startswith("MAP"):
        return f"to_json(CAST({value} AS MAP(VARCHAR, VARCHAR)))"
    if type.startswith("DECIMAL"):
        text = f"CAST({value} AS VARCHAR)"
        return f"rtrim(rtrim({text}, '0'), '.')" if not type.endswith(",0)") else text
    if type == "BOOLEAN" or (type.endswith(("INT", "INTEGER")) and wants_integer(annotation)):
        return value
    if type.startswith("TIMESTAMP"):
        return f"strftime(CAST({value} AS TIMESTAMPTZ) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    if type in ("JSON", '"NULL"'):
        return value
    return f"CAST({value} AS VARCHAR)"


def _annotation(model: type[BaseModel] | None, name: str) -> Any:
    if model is not None and name in model.model_fields:
        return model.model_fields[name].annotation
    return str


def wants_integer(annotation: Any) -> bool:
    """Whether a field takes whole numbers as such."""
    if annotation is int:
        return True
    return any(wants_integer(one) for one in get_args(annotation)) if get_origin(annotation) is not dict else False


def models_of(annotation: Any) -> list[type[BaseModel]]:
    """The models that a value of this annotation may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is dict:
        return []
    return [model for argument in get_args(annotation) for model in models_of(argument)]


def required_of(model: type[BaseModel], fields: Sequence[str] | dict[str, str]) -> Required:
    """What of these fields a model needs."""
    own = {name: field for name, field in model.model_fields.items() if name in fields and name not in _OWN}
    needed = tuple(name for name, field in own.items() if field.is_required())
    inner = []
    for name, field in own.items():
        models = models_of(field.annotation)
        if len(models) == 1:
            inner.append((name, required_of(models[0], list(models[0].model_fields))))
    return Required(needed, tuple(inner))


def struct_fields(type: str) -> Iterator[tuple[str, str]]:
    """Names and types of the fields of a STRUCT."""
    if not type.startswith("STRUCT(") or not type.endswith(")"):
        return
    text = type[7:-1]
    place = 0
    while place < len(text):
        if text[place] == '"':
            end = place + 1
            while text[end] != '"' or text[end : end + 2] == '""':
                end += 2 if text[end] == '"' else 1
            name = text[place + 1 : end].replace('""', '"')
            place = end + 2
        else:
            end = text.index(" ", place)
            name = text[place:end]
            place = end + 1
        depth, start, in_quotes = 0, place, False
        while place < len(text) and (depth or in_quotes or text[place] != ","):
            if text[place] == '"':
                in_quotes = not in_quotes
            elif not in_quotes:
                depth += {"(": 1, ")": -1}.get(text[place], 0)
            place += 1
        yield name, text[start:place]
        place += 2
