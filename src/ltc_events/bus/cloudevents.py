"""CloudEvents 1.0 over Kafka in binary mode: attributes in headers (`ce_…`), the data in the value, the customer as the key.

Structured mode (`content-type: application/cloudevents+json`, everything in the value) is accepted as well.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import orjson

from ltc_events.bus.headers import Headers, Shape, Wire
from ltc_events.bus.outcome_messages import fitting
from ltc_events.kernel.time_zones import utc_text
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.record import RawRecord, routing_key
from ltc_events.schemas.strict_json import loads, loads_once
from ltc_events.schemas.tracing import PARENT, STATE, Trace
from ltc_events.schemas.undecodable import Undecodable

SOURCE = "ltc-events"
JSON = b"application/json"
STRUCTURED = "application/cloudevents+json"
RESULT_TYPE = "ltc.command.result.v1"
EPOCH_BEGAN = WIRE_PREFIX + "epoch.began.v1"
"""On every partition of the topic of events: the store has gone back, and all that was told behind a position is void."""
_MARK = "ce_"
_SPECVERSION = (_MARK + "specversion", b"1.0")
_SOURCE = (_MARK + "source", SOURCE.encode())
_RESULT_TYPE = (_MARK + "type", RESULT_TYPE.encode())
_CONTENT_TYPE = ("content-type", JSON)
_EPOCH = _MARK + "epoch"
PRINCIPAL = _MARK + "principal"
"""Of an answer: who sent the command, as he was authenticated."""
# Position, epoch and type stand before all that holds somebody's words: readers find them by their names.
_EVENT_HEADERS = (
    _SPECVERSION,
    "ce_id",
    _SOURCE,
    "ce_type",
    "ce_subject",
    "ce_time",
    "ce_partitionkey",
    "ce_position",
    "ce_version",
    "ce_effectiveon",
    "ce_recordedat",
    "ce_commandid",
    "ce_correlationid",
    "ce_causationid",
    "ce_actor",
    _CONTENT_TYPE,
)
_RESULT_HEADERS = (
    _SPECVERSION,
    "ce_id",
    _SOURCE,
    _RESULT_TYPE,
    "ce_subject",
    "ce_time",
    "ce_partitionkey",
    "ce_correlationid",
    "ce_causationid",
    _CONTENT_TYPE,
)
_BEFORE_EPOCH = {_EVENT_HEADERS: "ce_position", _RESULT_HEADERS: "ce_partitionkey"}
_EPOCHS_MAX = 32
# Those of tracing come as CloudEvents has them, or as everybody else.
_BARE = ("content-type", PARENT, STATE)
_NAMES_MAX = 2_000
_TIMES_MAX = 5_000
_USUAL = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
"""How a UUID is written usually."""


def command_document(headers: Iterable[tuple[str, bytes | None]], key: bytes | None, value: bytes | None) -> Mapping[str, Any]:
    """The structured-mode document of a command that came over Kafka, in full; raises Undecodable."""
    document, data = command_parts(headers, key, value)
    if data is not None:
        try:
            loads_once(data, "the value")
        except Undecodable as error:
            raise error.about(document) from None
    return document


def command_parts(
    headers: Iterable[tuple[str, bytes | None]], key: bytes | None, value: bytes | None
) -> tuple[Mapping[str, Any], bytes | None]:
    """The structured-mode document of a command that came over Kafka; raises Undecodable.

    In binary mode the JSON of the data comes separately, not yet checked for repeated keys.

    The key must be the customer, since only commands on one partition are in order.
    """
    if value is None:
        raise Undecodable(reason="the message has no value")
    attributes = _attributes(headers)
    content_type = attributes.pop("content-type", "").lower()
    if content_type.partition(";")[0].strip() == STRUCTURED:
        document, data = loads_once(value, "the value"), None
        if not isinstance(document, dict):
            raise Undecodable(reason="not a JSON object")
    elif "id" in attributes or "type" in attributes or "specversion" in attributes:
        try:
            document, data = {**attributes, "data": loads(value, "the value")}, value
        except Undecodable as error:
            raise error.about(attributes) from None
    else:
        raise Undecodable(reason="the message has neither ce_ headers nor the content type of structured CloudEvents")
    try:
        _check_key(key, document.get("partitionkey"))
    except Undecodable as error:
        raise error.about(document) from None
    return document, data


def command_message(document: Mapping[str, Any]) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of a command in binary mode, from its structured-mode document."""
    headers = [
        (name if name in _BARE else _MARK + name, str(value).encode()) for name, value in document.items() if name != "data"
    ]
    return document["partitionkey"].encode(), orjson.dumps(document["data"]), [*headers, _CONTENT_TYPE]


@lru_cache(maxsize=_EPOCHS_MAX)
def _shape(headers: tuple[str | tuple[str, bytes], ...], epoch: str, *more: str) -> Shape:
    """The headers of a kind of message, in an epoch of the store (empty: without an epoch)."""
    if not epoch:
        return Shape(*headers, *more)
    at = headers.index(_BEFORE_EPOCH[headers]) + 1
    return Shape(*headers[:at], (_EPOCH, epoch.encode()), *headers[at:], *more)


def event_message(record: RawRecord, trace: Trace | None = None, epoch: str = "") -> tuple[bytes, bytes, Wire]:
    """Key, value and headers of a stored event of an epoch.

    Its CloudEvent id is its position: unique in the store, and the same at every delivery.
    """
    key = routing_key(record)
    position = b"%d" % record.position
    command = str(record.command_id).encode()
    correlation, causation = record.correlation_id, record.causation_id
    contents = (
        position,
        _wire_type(record.type),
        str(record.subject).encode(),
        _utc(record.occurred_at),
        key,
        position,
        b"%d" % record.version,
        _date(record.effective_on),
        _utc(record.recorded_at),
        command,
        command if correlation is record.command_id else str(correlation).encode(),
        command if causation is record.command_id else str(causation).encode(),
        record.actor.encode(),
    )
    if record.customer_id is None:
        headers = _shape(_EVENT_HEADERS, epoch).filled(*contents)
    else:
        headers = _shape(_EVENT_HEADERS, epoch, "ce_customerid").filled(*contents, key)
    return key, record.data, headers if trace is None else headers.followed_by(trace.headers())


def epoch_message(epoch: str, after: int, begun_at: datetime, reason: str) -> tuple[None, bytes, Headers]:
    """The announcement of an epoch: earlier events on the topic with positions after `after` are void."""
    headers = {
        "ce_id": epoch,
        "ce_type": EPOCH_BEGAN,
        "ce_subject": epoch,
        _EPOCH: epoch,
    }
    told = {"epoch": epoch, "after": after, "begun_at": begun_at.astimezone(UTC).isoformat(), "reason": reason}
    written = [(name, value.encode()) for name, value in headers.items()]
    return None, orjson.dumps(told), [_SPECVERSION, _SOURCE, *written, ("ce_time", _utc(begun_at)), _CONTENT_TYPE]


def result_message(outcome: Outcome, document: Mapping[str, Any], time: datetime, epoch: str = "") -> tuple[bytes, bytes, Wire]:
    """Key, value and headers of a command's outcome, in an epoch of the store; `document` is the command's, which names the
    customer."""
    told = outcome.document()
    key, command = str(document["partitionkey"]).encode(), told["command_id"].encode()
    correlation = document.get("correlationid")
    contents = (
        command,
        str(document["subject"]).encode(),
        _utc(time),
        key,
        command if correlation is None else str(correlation).encode(),
        command,
    )
    if outcome.principal is None:
        headers = _shape(_RESULT_HEADERS, epoch).filled(*contents)
    else:
        headers = _shape(_RESULT_HEADERS, epoch, PRINCIPAL).filled(*contents, outcome.principal.encode())
    trace = Trace.of(document) if PARENT in document else None
    if trace is not None:
        headers = headers.followed_by(trace.headers())
    return key, fitting(told), headers


def undecodable_message(
    key: bytes | None, error: Undecodable, time: datetime, epoch: str = ""
) -> tuple[bytes, bytes, Wire] | None:
    """Key, value and headers of the answer to an undecodable message with a readable id; None: there is no id to answer to.

    Its key is that of the message, if that is a UUID; else the id.
    """
    if error.command_id is None:
        return None
    command = str(error.command_id).encode()
    usual = key if key is not None and _USUAL(key.decode(errors="replace")) else command
    headers = _shape(_RESULT_HEADERS, epoch).filled(command, command, _utc(time), usual, command, command)
    return usual, fitting(error.document()), headers


def _check_key(key: bytes | None, wanted: object) -> None:
    """Check that the key equals the attribute in canonical spelling: another spelling would go to another partition."""
    if isinstance(wanted, str) and key == wanted.encode(errors="replace") and _USUAL(wanted):
        return
    shown = "none" if key is None else repr(key[:50].decode(errors="backslashreplace"))
    if not isinstance(wanted, str):
        reason, fix = f"the message's key is {shown}, and its partitionkey is missing", "set both to the customer's id"
    elif key != wanted.encode(errors="replace"):
        reason = f"the message's key is {shown}, and its partitionkey {wanted[:50]!r}"
        fix = "set both to the customer's id, letter by letter"
    else:
        try:
            usual = str(UUID(wanted))
            reason = f"the message's key {shown} is not written in the usual way, {usual}"
            fix = f"write both as {usual}"
        except ValueError:
            reason, fix = f"the message's key {shown} is not a UUID", "set key and partitionkey to the customer's id, a UUID"
    raise Undecodable(reason=reason, at="partitionkey", fix=fix)


def _attributes(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    meaning, name, attribute = _attribute, "", ""
    try:
        for name, value in headers:
            attribute = meaning(name)
            if attribute and value is not None:
                attributes[attribute] = value.decode()
    except UnicodeDecodeError:
        if attribute in (PARENT, STATE):  # nobody's command fails by what tracing made of it
            return _attributes([header for header in headers if header[0] != name])
        fix = f"write the header {name} in UTF-8"
        raise Undecodable(reason=f"the header {name} is not UTF-8", at=attribute, fix=fix).about(attributes) from None
    return attributes


@lru_cache(maxsize=_NAMES_MAX)
def _attribute(header: str) -> str:
    """The attribute of a header name; empty: none that is known."""
    name = header.lower()
    return name.removeprefix(_MARK) if name.startswith(_MARK) or name in _BARE else ""


@cache
def _wire_type(name: str) -> bytes:
    return (WIRE_PREFIX + name).encode()


# Those of a page are often the same.
@lru_cache(maxsize=_TIMES_MAX)
def _utc(moment: datetime) -> bytes:
    return utc_text(moment).encode()


@lru_cache(maxsize=_TIMES_MAX)
def _date(day: date) -> bytes:
    return day.isoformat().encode()
