"""What a change of a row means: commands of a step's head that bring the ledger to what the row says, and what they compare."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any, NamedTuple, get_origin, get_type_hints

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.importing.mapping import StepHead, nearest
from ltc_events.schemas.base import COMMANDS, Command
from ltc_events.schemas.customer import CustomerStage, LinkReference
from ltc_events.schemas.registry import noun_of

CHANGED = "changed"
"""The column that says when a row was last changed where it comes from."""
REPORT = "report"

Say = Callable[[str, str], None]


class Change(NamedTuple):
    """A command that a change of a row may become. `compared`: its fields that the ledger holds under the same name."""

    model: type[Command]
    compared: tuple[str, ...]

    def command(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """Its data of what a row says; None where the row lacks something that it needs. An empty cell takes nothing away."""
        data = {name: row[name] for name in self.model.model_fields if name in row}
        needed = [name for name, field in self.model.model_fields.items() if field.is_required()]
        return data if all(name in data for name in needed) and any(name in data for name in self.compared) else None

    def differs(self, data: Mapping[str, Any], state: Any) -> bool:
        """Whether the ledger's state of the thing is not what a command's data says. What the schema refuses differs."""
        try:
            said = self.model.model_validate_json(orjson.dumps(data))
        except ValidationError:
            return True
        if isinstance(said, LinkReference):
            return bool(state.references.get(said.system) != said.reference)
        return any(_other(name, getattr(state, name), getattr(said, name)) for name in self.compared if name in data)


class Fixed(NamedTuple):
    """A field of a step's first command that the ledger holds, and that no command of `if_changed` compares."""

    name: str
    read: TypeAdapter[Any]
    changers: tuple[str, ...]
    """The commands that could change it."""

    def other(self, row: Mapping[str, Any], state: Any) -> tuple[str, Any, Any] | None:
        """Where a row says otherwise than the ledger: the field, what the ledger holds and what the row says."""
        if self.name not in row:
            return None
        try:
            said = self.read.validate_json(orjson.dumps(row[self.name]))
        except ValidationError:
            said = row[self.name]
        return _other(self.name, getattr(state, self.name), said)


class Constant(NamedTuple):
    """A command whose data the step's head states."""

    model: type[Command]
    data: dict[str, Any]


class Following(NamedTuple):
    """What a step does about things that the ledger has already.

    `further`: a change compares what the first command does not say, so that a new row may need more than that.
    `vanished`: REPORT, a command, or None: rows that vanish are not looked for.
    """

    noun: str
    creates: type[Command]
    changes: tuple[Change, ...]
    fixed: tuple[Fixed, ...]
    further: bool
    vanished: Constant | str | None
    back: Constant | None
    unless: frozenset[str] = frozenset()
    """Statuses of the thing in which the first command is not sent."""

    @property
    def compares(self) -> bool:
        """Whether what is there already is compared instead of sent once more."""
        return bool(self.changes) or self.back is not None

    @property
    def asks(self) -> bool:
        """Whether the ledger is asked before a row is sent: also for what was taken as gone, and may be back."""
        return self.compares or bool(self.unless) or isinstance(self.vanished, Constant)

    def is_done(self, state: Any) -> bool:
        """Whether the thing has a status already in which the first command is not sent."""
        return bool(self.unless) and getattr(state, "status", None) in self.unless

    def is_new(self, state: Any) -> bool:
        """Whether the step's first command is to be sent: a customer who is only referred to is still to be registered."""
        return state is None or (self.noun == "customer" and state.stage is not CustomerStage.CUSTOMER)


def compile_following(head: StepHead, model: type[Command], columns: Mapping[str, Any], say: Say) -> Following | None:
    """What the head of a step says of changes, checked against its columns; None where it says nothing, or nothing right."""
    if not head.if_changed and not head.unless and head.vanished is None and head.if_back is None:
        return None
    noun = noun_of(model.type)
    found = [change for name in head.if_changed if (change := _change(name, noun, model, columns, say)) is not None]
    vanished = head.vanished if isinstance(head.vanished, str) else _constant("vanished", head.vanished, noun, say)
    if isinstance(vanished, str) and vanished != REPORT:
        say(f"vanished: {vanished} stands alone", 'write vanished = "report", or { command = "…", reason = "…" }')
    back = _constant("if_back", head.if_back, noun, say)
    further = any(name not in model.model_fields for change in found for name in change.compared)
    fixed, unless = _fixed(noun, model, found, columns), _statuses(noun, head.unless, say)
    return Following(noun, model, tuple(found), fixed, further, vanished, back, unless)


def _statuses(noun: str, unless: Sequence[str], say: Say) -> frozenset[str]:
    """The statuses of `unless`, which the ledger has for things of this noun."""
    status = get_type_hints(get_type_hints(AGGREGATES[noun].evolve)["return"]).get("status")
    known = [str(one) for one in status] if isinstance(status, type) and issubclass(status, StrEnum) else []
    for one in unless:
        if one not in known:
            say(f"unless: {one} is no status of this: {noun}", nearest(one, known) if known else "leave it out")
    return frozenset(unless)


def _fixed(noun: str, creates: type[Command], changes: Sequence[Change], columns: Mapping[str, Any]) -> tuple[Fixed, ...]:
    compared = {name for change in changes for name in change.compared}
    if any(change.model is LinkReference for change in changes):
        compared.add("references")
    found = []
    for name in _comparable(noun, creates):
        if name in columns and name not in compared:
            models = [model for type, model in COMMANDS.items() if noun_of(type) == noun and model is not creates]
            changers = [_short(model.type) for model in models if name in _comparable(noun, model)]
            found.append(Fixed(name, TypeAdapter(creates.model_fields[name].rebuild_annotation()), tuple(changers)))
    return tuple(found)


def _change(name: str, noun: str, creates: type[Command], columns: Mapping[str, Any], say: Say) -> Change | None:
    model = _command(name)
    known = sorted(short for short in map(_short, COMMANDS) if short.startswith(f"{noun}.") and short != _short(creates.type))
    if model is None or noun_of(model.type) != noun or model is creates:
        say(f"if_changed: {name} changes no {noun}", nearest(name, known))
        return None
    held = _comparable(noun, model)
    compared = tuple(one for one in held if one in columns)
    if model is LinkReference:
        compared = ("system", "reference")
    if not compared:
        if not held:
            say(f"if_changed: {name} says nothing that the ledger could be asked for", "send it by a step of its own")
        else:
            say(f"if_changed: {name} needs a column {held[0]}", f"add … AS {held[0]}")
        return None
    missing = [one for one, field in model.model_fields.items() if field.is_required() and one not in columns]
    if missing:
        say(f"if_changed: {name} needs a column {missing[0]}", f"add … AS {missing[0]}")
        return None
    return Change(model, compared)


def _constant(key: str, given: Mapping[str, Any] | None, noun: str, say: Say) -> Constant | None:
    """A command with its data, as a key of the head states it."""
    if given is None:
        return None
    name, data = str(given.get("command", "")), {one: value for one, value in given.items() if one != "command"}
    model = _command(name)
    if model is None or noun_of(model.type) != noun:
        known = sorted(short for short in map(_short, COMMANDS) if short.startswith(f"{noun}."))
        say(f"{key}: {name or 'it'} is no command about a {noun}", nearest(name, known))
        return None
    try:
        model.model_validate_json(orjson.dumps(data, default=str))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(map(str, first["loc"]))
        say(f"{key}: {path}: {first['msg']}", f"give the fields that {name} needs: {{ command = {name!r}, … }}")
        return None
    return Constant(model, data)


def _command(name: str) -> type[Command] | None:
    return COMMANDS.get(name) or next((model for type, model in COMMANDS.items() if _short(type) == name), None)


def _short(type: str) -> str:
    return type.rpartition(".")[0]


def _comparable(noun: str, model: type[Command]) -> list[str]:
    """The fields of a command that the aggregate's state holds by the same name, in a form that can be compared.

    A list that is held by its keys, like the lines of an order, is held otherwise than it is said.
    """
    state = get_type_hints(AGGREGATES[noun].evolve)["return"]
    held = {one.name: get_origin(one.type) for one in fields(state)} if is_dataclass(state) else {}
    said = {name: get_origin(field.annotation) for name, field in model.model_fields.items() if name in held}
    return [name for name, form in said.items() if (held[name] is Mapping) == (form is dict)]


def _other(path: str, held: Any, said: Any) -> tuple[str, Any, Any] | None:
    """The first part of what is said that is not held; of a model or a mapping, whatever of it is said."""
    if isinstance(said, BaseModel):
        parts = [(name, getattr(held, name, None), getattr(said, name)) for name in type(said).model_fields]
    elif isinstance(said, Mapping) and isinstance(held, Mapping):
        parts = [(name, held.get(name), value) for name, value in said.items()]
    else:
        return None if held == said else (path, held, said)
    return next((found for name, was, now in parts if now is not None and (found := _other(f"{path}.{name}", was, now))), None)
