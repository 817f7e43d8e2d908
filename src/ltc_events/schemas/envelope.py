"""CloudEvents 1.0 in structured mode: parses a command's document into the message that the pipeline takes."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import ValidationError

from ltc_events.kernel.frozen import new_tuple
from ltc_events.kernel.ids import is_reserved
from ltc_events.kernel.principals import Principal
from ltc_events.kernel.time_zones import utc_text
from ltc_events.schemas.attributes import Attributes, attributes_of
from ltc_events.schemas.base import WIRE_PREFIX, Command
from ltc_events.schemas.decimal_json import values
from ltc_events.schemas.fixes import RESERVED_FIX, nul_refusal, refusals, with_nul
from ltc_events.schemas.json_validation import json_validator, may_name_reserved
from ltc_events.schemas.limits import COMMAND_BYTES_MAX
from ltc_events.schemas.outcome import Refusal
from ltc_events.schemas.registry import COMMANDS, COMPANY_NOUNS, noun_of
from ltc_events.schemas.strict_json import loads, require_once
from ltc_events.schemas.tracing import PARENT, Trace
from ltc_events.schemas.undecodable import Undecodable, UnknownType

_NUL = b"\\u0000"
_MODELS = {WIRE_PREFIX + name: model for name, model in COMMANDS.items()}
_NOUNS = {name: noun_of(name) for name in COMMANDS}


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
    is_dated: bool = True
    """Whether its data states a business date. `command` has that of `occurred_at` in UTC otherwise."""
    expected_version: int | None = None
    """The version of the subject's stream on which its sender decided, where he says so."""
    principal: Principal | None = None
    """Who has sent it, as the door authenticated him; None: nobody was."""


def parse(
    document: bytes | str | Mapping[str, Any],
    received_at: datetime,
    data: bytes | None = None,
    principal: Principal | None = None,
) -> Message:
    """Parse a structured-mode CloudEvent from `principal`; `data` is the JSON of its data where that was sent separately.

    `received_at` (UTC) stands in for a missing `time`. Invalid data gives a message with reasons, which the pipeline
    refuses and records. A document without a usable envelope, which cannot be answered, raises `Undecodable`.
    """
    text = document.encode(errors="surrogatepass") if isinstance(document, str) else document
    given = loads(text) if isinstance(text, bytes) else text
    if type(given) is not dict and not isinstance(given, Mapping):
        raise Undecodable(reason="not a JSON object")
    try:
        message = _message(given, attributes_of(given), received_at, principal)
        if isinstance(text, bytes):
            require_once(text, given)
        elif data is not None:
            require_once(data, given["data"])
    except Undecodable as error:
        raise error.about(given) from None
    return message


def _message(given: Mapping[str, Any], attributes: Attributes, received_at: datetime, principal: Principal | None) -> Message:
    wire_type = attributes["type"]
    model = _MODELS.get(wire_type)
    if model is None:
        raise UnknownType(type=wire_type)
    data, expected = attributes["data"], attributes.get("expectedversion")
    what = [wire_type, given["subject"], given["partitionkey"], given.get("time"), given.get("actor"), data]
    content = _canonical(what if expected is None else [*what, expected])
    occurred_at = attributes.get("time")
    if occurred_at is None:
        occurred_at = received_at
    elif str(given["time"])[-1] in "Zz":  # so nearly all are written; to convert what is in UTC takes three times as long
        occurred_at = occurred_at.replace(tzinfo=UTC)
    else:
        occurred_at = occurred_at.astimezone(UTC)
    may_be_reserved = may_name_reserved(content)
    if len(content) > COMMAND_BYTES_MAX:
        command, reasons = None, _too_large(len(content))
    else:
        command, reasons = _validate(model, data, occurred_at, may_be_reserved=may_be_reserved)
    if content.find(_NUL) >= 0:  # `in` takes three times as long: see `decimal_json.dump`
        _refuse_nul_attributes(attributes)
        reasons = tuple(map(nul_refusal, with_nul(data))) or reasons
    elif "\0" in attributes["source"]:
        _refuse_nul_attributes(attributes)
    subject, key = attributes["subject"], attributes["partitionkey"]
    customer_id, misrouted = _customer(model.type, subject, key, may_be_reserved=may_be_reserved)
    reasons = misrouted or reasons
    command_id = attributes["id"]
    values = (
        command_id,
        model.type,
        None if reasons else command,
        subject,
        customer_id,
        attributes["source"],
        occurred_at,
        attributes.get("correlationid", command_id),
        attributes.get("causationid", command_id),
        attributes.get("actor", attributes["source"]),
        hashlib.sha256(content).digest(),
        content,
        reasons,
        Trace.of(given) if PARENT in given else None,
        "effective_on" in data,
        expected,
        principal,
    )
    return new_tuple(Message, values)


def _refuse_nul_attributes(attributes: Attributes) -> None:
    for name, word in (("source", attributes["source"]), ("actor", attributes.get("actor", ""))):
        if "\0" in word:
            refusal = nul_refusal(name)
            raise Undecodable(reason=f"{name}: {refusal.message}", at=name, fix=refusal.fix)


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
        body["time"] = utc_text(time)
    if actor is not None:
        body["actor"] = actor
    return body


def _canonical(parts: list[Any]) -> bytes:
    """The canonical JSON by which two commands are compared: key order and white space make no difference."""
    try:
        return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS, default=str)
    except (TypeError, ValueError) as error:
        raise Undecodable(reason=f"data: {error}", at="data", fix="send values that JSON knows, in UTF-8") from None


def _validate(
    model: type[Command], data: dict[str, Any], occurred_at: datetime, *, may_be_reserved: bool
) -> tuple[Command | None, tuple[Refusal, ...]]:
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
        if not may_be_reserved:
            return json_validator(model)(filled), ()
    except ValidationError:
        pass  # what is wrong with it, if anything is, its own validator says
    try:
        return model.__pydantic_validator__.validate_python(filled), ()
    except ValidationError as error:
        return None, refusals(model, error)


def _too_large(size: int) -> tuple[Refusal, ...]:
    """Refuses data that is too large without validating it: the list of its errors could be as large again."""
    return (
        Refusal(
            code="command_too_large",
            field="data",
            message=f"the command has {size} bytes as JSON without white space, and {COMMAND_BYTES_MAX} are allowed",
            fix=f"divide it into several commands of at most {COMMAND_BYTES_MAX} bytes each",
        ),
    )


def _customer(type_name: str, subject: UUID, key: UUID, *, may_be_reserved: bool) -> tuple[UUID | None, tuple[Refusal, ...]]:
    """The customer of a command. The key of a command to the company or to a customer is its subject."""
    noun = _NOUNS[type_name]
    if may_be_reserved and noun != "policy":
        at = "subject" if is_reserved(subject) else "partitionkey" if is_reserved(key) else None
        if at is not None:
            message = f"{subject if at == 'subject' else key} is reserved for the ledger itself"
            return None, (Refusal(code="reserved_id", field=at, message=message, fix=RESERVED_FIX),)
    own_key = noun in COMPANY_NOUNS or noun == "customer"
    if own_key and subject.int != key.int:
        return None, (
            Refusal(
                code="wrong_partition_key",
                field="partitionkey",
                message=f"partitionkey {key} is not the subject {subject}",
                fix=f"set partitionkey to the subject: {noun} commands have it as their key",
            ),
        )
    return (None if noun in COMPANY_NOUNS else key), ()
