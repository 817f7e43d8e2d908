"""Commands as documents: DuckDB writes the JSON of all rows at once, with ids that follow from all that a command says."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any, NamedTuple, get_args, get_origin

import orjson
from duckdb.sqltypes import DuckDBPyType
from pydantic import BaseModel

from ltc_events.importing.certainty import REFUSALS, ROW
from ltc_events.importing.changes import CHANGED
from ltc_events.importing.engine import literal
from ltc_events.importing.queries import Query
from ltc_events.importing.sources import quoted
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import WIRE_PREFIX, Command
from ltc_events.schemas.registry import COMPANY_NOUNS

Document = dict[str, Any]
Type = DuckDBPyType
ENVELOPE = ("subject", "customer", "time", "effective_on", "actor", "skip", CHANGED)
DATA = "data"
CHANGED_KEY = "_changed"
"""What carries the column `changed` among all that a row says; no field of a command is called so."""
OWN = frozenset({"occurred_at", "effective_on"})
"""Fields of a command's model that are no columns of its data."""


class Envelope(NamedTuple):
    """The attributes that all commands of an import share."""

    namespace: str
    source: str
    actor: str | None
    zone: tzinfo


def begin(value: datetime | date, zone: tzinfo) -> datetime:
    """A time in its zone; for a date, its start of day."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    return datetime(value.year, value.month, value.day, tzinfo=zone)


def make(
    envelope: Envelope,
    type: str,
    subject: str,
    key: str,
    moment: datetime,
    day: str | None,
    actor: str | None,
    data: Mapping[str, Any],
) -> Document:
    """A command that no row of a table says by itself. Its id follows from all it says: said twice, it is one command.

    `day` is the business date, whatever the company's time zone is; by default that of `moment` in the zone it has.
    """
    actor = actor or envelope.actor
    utc = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    text = orjson.dumps({**data, "effective_on": day or moment.date().isoformat()}, option=orjson.OPT_SORT_KEYS).decode()
    id = derive_id("import", envelope.namespace, "command", type, subject, key, utc, actor or "", text)
    return document(envelope, type, str(id), subject, key, utc, actor, text)


def document(
    envelope: Envelope, type: str, id: str, subject: str, key: str, moment: str, actor: str | None, data: str
) -> Document:
    """A command as a CloudEvent; `data` is its JSON."""
    made: Document = {
        "specversion": "1.0",
        "id": id,
        "source": envelope.source,
        "type": WIRE_PREFIX + type,
        "subject": subject,
        "partitionkey": key,
        "time": moment,
        "data": orjson.loads(data),
    }
    if actor:
        made["actor"] = actor
    return made


def belongs_to_company(model: type[Command]) -> bool:
    """Whether a command's subject is its own key."""
    noun = model.type.partition(".")[0]
    return noun in COMPANY_NOUNS or noun == "customer"


COLUMNS = ("id", "subject", "key", "moment", "actor", "skip", "data", "said", "problem")
"""What a step's rows become, all of it texts. `said` is all that a row says, where it is compared with the ledger.
`problem` is a code, a field and a value, where a row is no command.
"""


def select_of(
    models: Sequence[type[Command]], query: Query, fields: Mapping[str, Type], envelope: Envelope, *, compares: bool
) -> str:
    """The query's rows as COLUMNS, with the hidden ones behind; of a check (no `models`), whether and why they are left out.

    The first of the models is the command, others are for what changes.
    """

    def text(name: str) -> str:
        return f"CAST(step.{quoted(name)} AS VARCHAR)" if name in query.columns else "CAST(NULL AS VARCHAR)"

    hidden = f"step.{ROW}, step.{REFUSALS}"
    if not models:
        shown = ", ".join(text("skip") if name == "skip" else "NULL" for name in COLUMNS)
        return f"SELECT {shown}, {hidden} FROM ({query.sql}) AS step"
    model = models[0]
    key = text("subject" if belongs_to_company(model) else "customer")
    moment, day, no_moment = _moment(query.columns.get("time", '"NULL"'))
    if "effective_on" in query.columns:
        day = f"coalesce(left({text('effective_on')}, 10), {day})"
    prefix = "step.data." if DATA in query.columns else "step."
    every = {name: (f"{prefix}{quoted(name)}", type) for name, type in fields.items()}
    values = {name: value for name, value in every.items() if name in model.model_fields}
    said = "NULL"
    if compares:
        changed = (
            {CHANGED_KEY: as_json(f"step.{CHANGED}", Type(query.columns[CHANGED]), None)} if CHANGED in query.columns else {}
        )
        said = f"CAST({_json(every, models, changed)} AS VARCHAR)"
    needed = {"subject": text("subject"), "customer": key, "time": text("time")}
    absent = [f"WHEN {value} IS NULL THEN {literal(_problem('empty_value', name))}" for name, value in needed.items()]
    clocks = dict(every if compares else values)
    if compares and CHANGED in query.columns:
        clocks[CHANGED] = f"step.{CHANGED}", Type(query.columns[CHANGED])
    skipped = " ".join(_no_such_time(name, value) for name, (value, type) in clocks.items() if type.id == "timestamp")
    missing = _missing(model, values, "''")
    actor = f"coalesce(nullif({text('actor')}, ''), {'NULL' if envelope.actor is None else literal(envelope.actor)})"
    content = f"'command', {literal(model.type)}, subject, key, moment, coalesce(actor, ''), data"
    return (
        f"SELECT ltc_id_of(concat_ws(chr(31), {content})), * "
        f"FROM (SELECT {text('subject')} AS subject, {key} AS key, {moment} AS moment, {actor} AS actor, {text('skip')} AS skip, "
        f"CAST({_json(values, [model], {'effective_on': day})} AS VARCHAR) AS data, {said} AS said, "
        f"CASE {' '.join(absent)} {no_moment} {skipped}"
        f" ELSE {_of_text('empty_value', missing) if missing else 'NULL'} END AS problem, {hidden} FROM ({query.sql}) AS step)"
    )


def _problem(code: str, field: str) -> str:
    return f"{code}\x1f{field}\x1f"


def _of_text(code: str, field: str) -> str:
    return f"{literal(code)} || chr(31) || {field} || chr(31)"


def _moment(type: str) -> tuple[str, str, str]:
    """A step's time in UTC as the envelope has it, its day where it is local, and what is wrong with one that is none."""
    if type == "TIMESTAMP WITH TIME ZONE":
        utc, local = "(step.time AT TIME ZONE 'UTC')", "step.time"
    else:
        utc, local = "ltc_utc(CAST(step.time AS TIMESTAMP))", "CAST(step.time AS TIMESTAMP)"
    shown = "chr(31) || CAST(step.time AS VARCHAR)"
    no_moment = (
        f"WHEN coalesce(year({local}) NOT BETWEEN 1 AND 9999, true) THEN 'not_a_date' || chr(31) || 'time' || {shown} "
        f"WHEN {utc} IS NULL THEN 'no_such_time' || chr(31) || 'time' || {shown}"
    )
    return f"ltc_iso({utc})", f"CAST(CAST({local} AS DATE) AS VARCHAR)", no_moment


def _no_such_time(field: str, value: str) -> str:
    """A branch of a CASE for a local time that clocks skipped."""
    shown = f"{literal('no_such_time')} || chr(31) || {literal(field)} || chr(31) || CAST({value} AS VARCHAR)"
    return f"WHEN {value} IS NOT NULL AND ltc_utc({value}) IS NULL THEN {shown}"


def _json(
    values: Mapping[str, tuple[str, Type]],
    models: Sequence[type[BaseModel]],
    more: Mapping[str, str] | None = None,
    depth: int = 0,
) -> str:
    """An object of what has a value, its names in order; `more` are expressions beside the fields."""
    parts = dict(more or {})
    for name, (value, type) in values.items():
        model = next((one for one in models if name in one.model_fields), None)
        parts[name] = as_json(value, type, str if model is None else model.model_fields[name].annotation, depth)
    shown = ", ".join(f"{literal(name)}: {parts[name]}" for name in sorted(parts))
    return f"json_merge_patch('{{}}', to_json({{{shown}}}))" if parts else "CAST('{}' AS JSON)"


def as_json(value: str, type: Type, annotation: Any, depth: int = 0) -> str:
    """An expression whose JSON is what the command's schema reads: exact numbers and dates as text, and no value that is none."""
    inner = models_of(annotation)
    match type.id:
        case "list":
            one = f"one{depth}"
            item = as_json(one, item_type(type) or type, annotation, depth + 1)
            return f"list_transform(list_filter({value}, lambda {one}: {one} IS NOT NULL), lambda {one}: {item})"
        case "struct":
            values = _members(value, type)
            return f"CASE WHEN {value} IS NOT NULL THEN {_json(values, inner if len(inner) == 1 else [], depth=depth)} END"
        case "map":
            return f"to_json(CAST({value} AS MAP(VARCHAR, VARCHAR)))"
        case "decimal":
            text = f"CAST({value} AS VARCHAR)"
            precision, scale = (size for _, size in type.children)
            if precision == scale:  # a number without a place before its point is written without a digit there
                text = f"regexp_replace({text}, '^(-?)[.]', '\\10.')"
            return f"rtrim(rtrim({text}, '0'), '.')" if scale else text
        case "timestamp" | "timestamp with time zone":
            utc = f"CAST({value} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
            utc = f"coalesce(ltc_utc({value}), {utc})" if type.id == "timestamp" else utc
            return f"strftime({utc}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    is_number = type.id.endswith("int") or type.id == "integer"
    if type.id in ("boolean", "null") or str(type) == "JSON" or (is_number and _wants_integer(annotation)):
        return value
    return f"CAST({value} AS VARCHAR)"


def _missing(model: type[BaseModel], values: Mapping[str, tuple[str, Type]], path: str, depth: int = 0) -> str | None:
    """The path of the first field that a model needs and that has no value, as an expression; None where none can be missing."""
    known = {name: model.model_fields[name] for name in values if name in model.model_fields and name not in OWN}
    found = [
        f"CASE WHEN {values[name][0]} IS NULL THEN {path} || {literal(name)} END"
        for name, field in known.items()
        if field.is_required()
    ]
    for name, field in known.items():
        models, (value, type) = models_of(field.annotation), values[name]
        if len(models) != 1:
            continue
        if type.id == "struct":
            inner = _missing(models[0], _members(value, type), f"{path} || {literal(f'{name}.')}", depth)
            if inner:
                found.append(f"CASE WHEN {value} IS NOT NULL THEN {inner} END")
        elif (item := item_type(type)) is not None and item.id == "struct":
            one, at = f"one{depth}", f"at{depth}"
            there = f"list_filter({value}, lambda {one}: {one} IS NOT NULL)"
            place = f"{path} || {literal(f'{name}[')} || {at} || '].'"
            inner = _missing(models[0], _members(one, item), place, depth + 1)
            if inner:
                found.append(
                    f"list_filter(list_transform({there}, lambda {one}, {at}: {inner}), lambda {one}: {one} IS NOT NULL)[1]"
                )
    return f"coalesce({', '.join(found)})" if found else None


def _members(value: str, type: Type) -> dict[str, tuple[str, Type]]:
    return {name: (f"{value}.{quoted(name)}", one) for name, one in struct_fields(type).items()}


def struct_fields(type: Type) -> dict[str, Type]:
    """Names and types of the fields of a STRUCT; none of any other type."""
    return {name: one for name, one in type.children if isinstance(one, Type)} if type.id == "struct" else {}


def item_type(type: Type) -> Type | None:
    """The type of a list's items; None of any other type."""
    found = type.children[0][1] if type.id == "list" else None
    return found if isinstance(found, Type) else None


def _wants_integer(annotation: Any) -> bool:
    """Whether a field takes whole numbers as such."""
    arguments: Sequence[Any] = () if get_origin(annotation) is dict else get_args(annotation)
    return annotation is int or any(map(_wants_integer, arguments))


def models_of(annotation: Any) -> list[type[BaseModel]]:
    """The models that a value of this annotation may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments: Sequence[Any] = () if get_origin(annotation) is dict else get_args(annotation)
    return [model for argument in arguments for model in models_of(argument)]
