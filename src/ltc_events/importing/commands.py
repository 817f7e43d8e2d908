"""From a row to commands: what a mapping's `emit` and `prelude` sections say, compiled."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import ValidationError

from ltc_events.importing.errors import BadValue
from ltc_events.importing.expressions import Scope, compile_expression, truth
from ltc_events.importing.kinds import DATE, ID, TEXT, TIME, BadFormula, Kind, empty_value
from ltc_events.importing.mapping import Emit, Prelude, Step, iso, nearest
from ltc_events.importing.moments import localised
from ltc_events.importing.names import inner_scope
from ltc_events.importing.source import go_through
from ltc_events.importing.templates import compile_data, compile_template
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import COMMANDS, WIRE_PREFIX, Command
from ltc_events.schemas.catalogue import COMPANY_NOUNS

Document = dict[str, Any]


class Envelope(NamedTuple):
    """What all commands of an import share."""

    namespace: str
    source: str
    actor: str | None
    zone: tzinfo


class Emitter(NamedTuple):
    """One kind of command that rows become. `once`: for the first row alone that names its subject."""

    type: str
    once: bool
    commands: Callable[[Any], Iterator[Document]]


def compile_emit(emit: Emit, step: Step, scope: Scope, envelope: Envelope) -> Emitter:
    """The emitter of an `emit` section. Raises BadFormula."""
    model = command_model(emit.command)
    rows, inside = _each(emit, scope)
    condition = None if emit.when is None else truth(_expression("when", emit.when, inside, ()))
    subject = _expression("subject", emit.subject, inside, (ID,)).evaluate
    customer = _customer(model, emit.customer or step.customer, inside)
    time = _time(emit.time or step.time, inside, envelope.zone)
    effective = None
    if emit.effective_on is not None:
        effective = _expression("effective_on", emit.effective_on, inside, (DATE, TIME)).evaluate
    actor_text = emit.actor or step.actor or envelope.actor
    actor = None if actor_text is None else compile_template(actor_text, inside).evaluate
    data = compile_data(emit.data, model, inside, inner_scope)

    def command(row: Any) -> Document:
        id = _needed(subject(row), "subject", emit.subject)
        moment = time(row)
        body = data(row)
        day = moment.date() if effective is None else _day(_needed(effective(row), "effective_on", emit.effective_on))
        body["effective_on"] = day.isoformat()  # the mapping's day, whatever the company's time zone is
        key = id if customer is None else _needed(customer(row), "customer", emit.customer or step.customer)
        return make(envelope, model.type, id, key, moment, None if actor is None else actor(row), body)

    def commands(row: Any) -> Iterator[Document]:
        if rows is None:
            if condition is None or condition(row):
                yield command(row)
            return
        for child in go_through(rows(row), row):
            if condition is None or condition(child):
                yield command(child)

    return Emitter(model.type, emit.once, commands)


def compile_prelude(prelude: Prelude, scope: Scope, envelope: Envelope) -> Document:
    """The command of a `prelude` section. Raises BadFormula, also for data that the command's schema refuses."""
    model = command_model(prelude.command)
    id = _expression("subject", prelude.subject, scope, (ID,)).evaluate(None)
    customer = _customer(model, prelude.customer, scope)
    moment = _fixed_time(prelude.time, envelope.zone)
    body = compile_data(prelude.data, model, scope, inner_scope)(None)
    day = prelude.effective_on or moment.date()
    try:
        model.model_validate({**body, "effective_on": day, "occurred_at": moment})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(map(str, ("data", *first["loc"])))
        raise BadFormula(f"{path}: {first['msg']}", f"give what {model.type} needs") from error
    body["effective_on"] = day.isoformat()
    key = id if customer is None else customer(None)
    return make(envelope, model.type, id, key, moment, prelude.actor or envelope.actor, body)


def make(
    envelope: Envelope, type: str, subject: UUID, key: UUID, moment: datetime, actor: str | None, data: Mapping[str, Any]
) -> Document:
    """A command as a CloudEvent. Its id follows from all it says: said twice, it is one command."""
    time = iso(moment.astimezone(UTC))
    content = orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()
    id = derive_id("import", envelope.namespace, "command", type, str(subject), str(key), time, actor or "", content)
    document: Document = {
        "specversion": "1.0",
        "id": str(id),
        "source": envelope.source,
        "type": WIRE_PREFIX + type,
        "subject": str(subject),
        "partitionkey": str(key),
        "time": time,
        "data": data,
    }
    if actor:
        document["actor"] = actor
    return document


def command_model(name: str) -> type[Command]:
    """The command of this name, its version left out or not: `lead.capture`, `lead.capture.v1`. Raises BadFormula."""
    if name in COMMANDS:
        return COMMANDS[name]
    versions = [type for type in COMMANDS if type.rpartition(".")[0] == name]
    if len(versions) == 1:
        return COMMANDS[versions[0]]
    if versions:
        raise BadFormula(f"command: {name} has several versions", f"write one of {', '.join(versions)}")
    short = sorted({type.rpartition(".")[0] for type in COMMANDS})
    raise BadFormula(f"command: {name} is no command", nearest(name, short))


def _each(emit: Emit, scope: Scope) -> tuple[Callable[[Any], Sequence[Any]] | None, Scope]:
    if emit.each is None:
        return None, scope
    rows = _expression("each", emit.each, scope, ())
    if rows.kind.name != "rows":
        raise BadFormula(f"each: {rows.text} is {rows.kind}", "name a link that has many = true")
    return rows.evaluate, inner_scope(scope, rows.kind.of)


def _expression(key: str, text: str, scope: Scope, kinds: Sequence[Kind]) -> Any:
    try:
        expression = compile_expression(text, scope)
    except BadFormula as error:
        raise BadFormula(f"{key}: {error.problem}", error.fix) from error
    if kinds and expression.kind not in kinds:
        wanted = " or ".join(map(str, kinds))
        raise BadFormula(f"{key}: {expression.text} is {expression.kind}, not {wanted}", _KIND_FIXES[kinds[0].name])
    return expression


_KIND_FIXES = {
    "id": "write id('kind', key), for example id('order', number)",
    "time": 'give the column type = "time" or "date"',
    "date": 'give the column type = "date"',
}


def _customer(model: type[Command], text: str | None, scope: Scope) -> Callable[[Any], Any] | None:
    """Whose command it is; None where the subject is the key itself."""
    noun = model.type.partition(".")[0]
    if noun in COMPANY_NOUNS or noun == "customer":
        return None
    if text is None:
        raise BadFormula(f"customer is missing: {model.type} belongs to a customer", "add customer = \"id('customer', …)\"")
    evaluate: Callable[[Any], Any] = _expression("customer", text, scope, (ID,)).evaluate
    return evaluate


def _time(text: str | None, scope: Scope, zone: tzinfo) -> Callable[[Any], datetime]:
    if text is None:
        raise BadFormula("time is missing", "say when it happened: add time = a column of dates or times, here or in the step")
    expression = _expression("time", text, scope, (TIME, DATE, TEXT))
    if expression.kind == TEXT:
        if not expression.text.startswith(("'", '"')):
            raise BadFormula(f"time: {expression.text} is a text", _KIND_FIXES["time"])
        fixed = _fixed_time(expression.evaluate(None), zone)
        return lambda _: fixed
    evaluate = expression.evaluate

    def moment(row: Any) -> datetime:
        value = _needed(evaluate(row), "time", text)
        return value if isinstance(value, datetime) else _begin(value, zone)

    return moment


def _fixed_time(value: datetime | date | str, zone: tzinfo) -> datetime:
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        return localised(value, zone) if isinstance(value, datetime) else _begin(value, zone)
    except ValueError as error:
        raise BadFormula(f"time: {value} is not a time", "write for example 2024-01-31T12:00:00Z") from error


def _begin(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _needed(value: Any, key: str, text: str | None) -> Any:
    if value is None:
        error: BadValue = empty_value(str(text))
        raise BadValue(error.code, f"{key}: {error.reason}", error.fix, column=error.column)
    return value
