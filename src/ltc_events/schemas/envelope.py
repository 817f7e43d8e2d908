"""CloudEvents 1.0 in structured mode: how a command looks from outside, and what the pipeline makes of it."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Any, Literal, NamedTuple, NotRequired
from uuid import UUID

import orjson
from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from ltc_events.kernel.errors import LtcError
from ltc_events.schemas.base import Command
from ltc_events.schemas.catalogue import COMMANDS, COMPANY_NOUNS
from ltc_events.schemas.digits import values
from ltc_events.schemas.outcome import Refusal
from ltc_events.schemas.tracing import PARENT, Trace

WIRE_PREFIX = "ltc."
_Word = Annotated[str, StringConstraints(min_length=1, max_length=300)]
_Time = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
_NUL = b"\\u0000"


class Undecodable(LtcError):
    """this is not a command: {reason}"""

    remedy = "send a CloudEvents 1.0 document with specversion, id, source, type, subject, partitionkey and data"


class UnknownType(Undecodable):
    """this is not a command: type: there is no command {type}"""

    @property
    def fix(self) -> str:
        """The commands with the nearest names."""
        near = get_close_matches(str(self.details["type"]), [WIRE_PREFIX + name for name in COMMANDS], n=3, cutoff=0.6)
        return f"did you mean {' or '.join(near)}?" if near else "see docs/commands-and-events.md for the types there are"


class Attributes(TypedDict):
    """The attributes of a command's CloudEvent. Ids are UUIDs; `partitionkey` is the customer the command is about."""

    specversion: Literal["1.0"]
    id: UUID
    source: _Word
    type: _Word
    subject: UUID
    partitionkey: UUID
    time: NotRequired[_Time]
    correlationid: NotRequired[UUID]
    causationid: NotRequired[UUID]
    actor: NotRequired[_Word]
    data: dict[str, Any]


_ATTRIBUTES = TypeAdapter(Attributes).validator


class Message(NamedTuple):
    """A command with its envelope. `command` is None when its data is invalid; `reasons` then say why."""

    command_id: UUID
    type: str
    command: Command | None
    subject: UUID
    customer_id: UUID | None
    source: str
    occurred_at: datetime
    correlation_id: UUID
    causation_id: UUID
    actor: str
    content_hash: bytes
    content: bytes
    reasons: tuple[Refusal, ...] = ()
    trace: Trace | None = None


def parse(document: bytes | str | Mapping[str, Any], received_at: datetime) -> Message:
    """Make a message of a structured-mode CloudEvent.

    `received_at` (UTC) stands in for a missing `time`. Invalid data gives a message with reasons, which the pipeline
    refuses and keeps; what cannot even be answered, because it has no usable envelope, raises `Undecodable`.
    """
    given = _load(document)
    try:
        attributes = _ATTRIBUTES.validate_python(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Undecodable(reason=f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    wire_type = attributes["type"]
    model = COMMANDS.get(wire_type.removeprefix(WIRE_PREFIX)) if wire_type.startswith(WIRE_PREFIX) else None
    if model is None:
        raise UnknownType(type=wire_type)
    data = attributes["data"]
    content = _canonical([wire_type, given["subject"], given["partitionkey"], given.get("time"), given.get("actor"), data])
    if _NUL in content or "\x00" in attributes["source"]:
        raise Undecodable(reason="it holds the character U+0000, which PostgreSQL cannot store")
    occurred_at = attributes.get("time")
    occurred_at = received_at if occurred_at is None else occurred_at.astimezone(UTC)
    command, reasons = _validate(model, data, occurred_at)
    subject, key = attributes["subject"], attributes["partitionkey"]
    customer_id, misrouted = _customer(model.type, subject, key)
    command_id = attributes["id"]
    return Message(
        command_id,
        model.type,
        None if misrouted else command,
        subject,
        customer_id,
        attributes["source"],
        occurred_at,
        attributes.get("correlationid", command_id),
        attributes.get("causationid", command_id),
        attributes.get("actor", attributes["source"]),
        hashlib.sha256(content).digest(),
        content,
        misrouted or reasons,
        Trace.of(given) if PARENT in given else None,
    )


def document(
    command: Command,
    *,
    command_id: UUID,
    subject: UUID,
    customer_id: UUID | None,
    source: str,
    time: datetime | None = None,
    actor: str | None = None,
) -> dict[str, Any]:
    """The structured-mode CloudEvent of a command, as JSON-ready values. Fields left at their defaults are left out."""
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(command_id),
        "source": source,
        "type": WIRE_PREFIX + command.type,
        "subject": str(subject),
        "partitionkey": str(customer_id or subject),
        "data": values(command, exclude_defaults=True, exclude={"occurred_at"}),
    }
    if time is not None:
        body["time"] = time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if actor is not None:
        body["actor"] = actor
    return body


def _load(document: bytes | str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(document, (bytes, str)):
        try:
            document = orjson.loads(document)
        except orjson.JSONDecodeError as error:
            raise Undecodable(reason=f"not JSON: {error}") from None
    if type(document) is not dict and not isinstance(document, Mapping):
        raise Undecodable(reason="not a JSON object")
    return document


def _canonical(parts: list[Any]) -> bytes:
    """What makes two commands the same: equal parts, whatever the order of keys and the white space were."""
    try:
        return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS, default=str)
    except (TypeError, ValueError) as error:
        raise Undecodable(reason=f"data: {error}") from None


def _validate(model: type[Command], data: dict[str, Any], occurred_at: datetime) -> tuple[Command | None, tuple[Refusal, ...]]:
    if "occurred_at" in data:
        return None, (
            Refusal(
                code="unknown_field",
                field="occurred_at",
                message="data has a field occurred_at, which is the envelope's",
                fix="put it into the envelope as time",
            ),
        )
    filled = {"effective_on": occurred_at.date(), **data, "occurred_at": occurred_at}
    try:
        return model.__pydantic_validator__.validate_python(filled), ()
    except ValidationError as error:
        return None, tuple(_refusal(model, dict(detail)) for detail in error.errors(include_url=False))


_FIXES = {
    "missing": ("missing_field", "give it a value"),
    "extra_forbidden": ("unknown_field", "leave it out"),
    "string_pattern_mismatch": ("malformed", "write it in the form {pattern}"),
    "enum": ("unknown_value", "use one of {expected}"),
    "literal_error": ("unknown_value", "use one of {expected}"),
    "greater_than": ("out_of_range", "give more than {gt}"),
    "greater_than_equal": ("out_of_range", "give at least {ge}"),
    "less_than_equal": ("out_of_range", "give at most {le}"),
    "decimal_parsing": ("malformed", 'write a decimal number as a string, for example "1234.50"'),
    "currency": ("unknown_value", "use a three-letter code of ISO 4217, for example EUR"),
    "too_short": ("missing_field", "give at least {min_length}"),
}
# What a pattern means, said in words: by the name of the field.
_FORMS = {
    "phone": ("this is not a telephone number", "write digits with the usual separators, for example +49 30 1234567"),
    "email": ("this is not an e-mail address", "write name@domain, for example ann@example.com"),
}


def _refusal(model: type[Command], detail: Mapping[str, Any]) -> Refusal:
    code, fix = _FIXES.get(detail["type"], ("malformed", "correct it as the message says"))
    if code == "unknown_field":
        known = ", ".join(name for name in model.model_fields if name != "occurred_at")
        fix = f"leave it out; {model.type} knows {known}"
    field = ".".join(str(part) for part in detail["loc"])
    message, fix = str(detail["msg"]), fix.format(**(detail.get("ctx") or {}))
    if detail["type"] == "string_pattern_mismatch":
        message, fix = _FORMS.get(field.rpartition(".")[2], (message, fix))
    return Refusal(code=code, field=field, message=message, fix=fix)


def _customer(type_name: str, subject: UUID, key: UUID) -> tuple[UUID | None, tuple[Refusal, ...]]:
    """Whose command it is; what belongs to the company or is the customer itself has its subject as its key."""
    noun = type_name.partition(".")[0]
    own_key = noun in COMPANY_NOUNS or noun == "customer"
    if own_key and subject != key:
        return None, (
            Refusal(
                code="wrong_partition_key",
                field="partitionkey",
                message=f"partitionkey {key} is not the subject {subject}",
                fix=f"set partitionkey to the subject: {noun} commands have it as their key",
            ),
        )
    return (None if noun in COMPANY_NOUNS else key), ()
