"""CloudEvents 1.0 over Kafka: attributes in headers (`ce_…`), the data in the value, the customer as the key.

Structured mode (`content-type: application/cloudevents+json`, everything in the value) is understood as well.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import orjson

from ltc_events.bus.headers import Headers, Shape, Wire
from ltc_events.schemas.envelope import WIRE_PREFIX, Undecodable
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.record import RawRecord, routing_key
from ltc_events.schemas.tracing import PARENT, STATE, Trace

SOURCE = "ltc-events"
JSON = b"application/json"
STRUCTURED = "application/cloudevents+json"
RESULT_TYPE = "ltc.command.result.v1"
_MARK = "ce_"
_SPECVERSION = (_MARK + "specversion", b"1.0")
_SOURCE = (_MARK + "source", SOURCE.encode())
_RESULT_TYPE = (_MARK + "type", RESULT_TYPE.encode())
_CONTENT_TYPE = ("content-type", JSON)
# Position and type stand before all that holds somebody's words: readers find them by their names.
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
_EVENT, _EVENT_OF_CUSTOMER = Shape(*_EVENT_HEADERS), Shape(*_EVENT_HEADERS, "ce_customerid")
_RESULT = Shape(
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
# Those of tracing come as CloudEvents has them, or as everybody else.
_BARE = ("content-type", PARENT, STATE)
_NAMES_MAX = 2_000
_TIMES_MAX = 5_000
_USUAL = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
"""How a UUID is written usually."""


def command_document(headers: Iterable[tuple[str, bytes | None]], key: bytes | None, value: bytes | None) -> Mapping[str, Any]:
    """The structured-mode document of a command that came over Kafka; raises Undecodable.

    The key must be the customer: commands of one customer are in order on one partition, or they are in no order at all.
    """
    if value is None:
        raise Undecodable(reason="the message has no value")
    attributes = _attributes(headers)
    content_type = attributes.pop("content-type", "").lower()
    if content_type.partition(";")[0].strip() == STRUCTURED:
        document = _json(value)
        if not isinstance(document, dict):
            raise Undecodable(reason="not a JSON object")
    elif "id" in attributes or "type" in attributes or "specversion" in attributes:
        document = {**attributes, "data": _json(value)}
    else:
        raise Undecodable(reason="the message has neither ce_ headers nor the content type of structured CloudEvents")
    _check_key(key, document.get("partitionkey"))
    return document


def command_message(document: Mapping[str, Any]) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of a command in binary mode, from its structured-mode document."""
    headers = [
        (name if name in _BARE else _MARK + name, str(value).encode()) for name, value in document.items() if name != "data"
    ]
    return document["partitionkey"].encode(), orjson.dumps(document["data"]), [*headers, _CONTENT_TYPE]


def event_message(record: RawRecord, trace: Trace | None = None) -> tuple[bytes, bytes, Wire]:
    """Key, value and headers of a stored event. Its id is its position: unique, and the same at every delivery."""
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
    headers = _EVENT.filled(*contents) if record.customer_id is None else _EVENT_OF_CUSTOMER.filled(*contents, key)
    return key, record.data, headers if trace is None else headers.followed_by(trace.headers())


def result_message(outcome: Outcome, document: Mapping[str, Any], time: datetime) -> tuple[bytes, bytes, Wire]:
    """Key, value and headers of a command's outcome; `document` is the command's, which says whose it was."""
    told = outcome.document()
    key, command = str(document["partitionkey"]).encode(), told["command_id"].encode()
    correlation = document.get("correlationid")
    headers = _RESULT.filled(
        command,
        str(document["subject"]).encode(),
        _utc(time),
        key,
        command if correlation is None else str(correlation).encode(),
        command,
    )
    trace = Trace.of(document) if PARENT in document else None
    if trace is not None:
        headers = headers.followed_by(trace.headers())
    return key, orjson.dumps(told), headers


def dead_letter_message(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]], place: tuple[str, int, int], reason: str
) -> tuple[bytes | None, bytes | None, Headers]:
    """What came and is no command, as it came, and beside it where (topic, partition, offset) and what is wrong with it."""
    topic, partition, offset = place
    added = (
        ("ltc_reason", reason.encode()),
        ("ltc_topic", topic.encode()),
        ("ltc_partition", b"%d" % partition),
        ("ltc_offset", b"%d" % offset),
    )
    # The client refuses a message that has neither key nor value, and a header without one.
    copied = [(name, b"" if content is None else content) for name, content in headers]
    return key, b"" if key is None and value is None else value, [*copied, *added]


def _check_key(key: bytes | None, wanted: object) -> None:
    """The key and the attribute must be the same text, and that text the usual one: another spelling, another partition."""
    if isinstance(wanted, str) and key == wanted.encode(errors="replace") and _USUAL(wanted):
        return
    shown = "none" if key is None else repr(key[:50].decode(errors="backslashreplace"))
    if not isinstance(wanted, str):
        raise Undecodable(reason=f"the message's key is {shown}, and its partitionkey is missing")
    if key != wanted.encode(errors="replace"):
        raise Undecodable(reason=f"the message's key is {shown}, and its partitionkey {wanted[:50]!r}")
    try:
        usual = str(UUID(wanted))
    except ValueError:
        raise Undecodable(reason=f"the message's key {shown} is not a UUID") from None
    raise Undecodable(reason=f"the message's key {shown} is not written in the usual way, {usual}")


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
        raise Undecodable(reason=f"the header {name} is not UTF-8") from None
    return attributes


@lru_cache(maxsize=_NAMES_MAX)
def _attribute(header: str) -> str:
    """What a header with this name tells; empty: nothing that is ours."""
    name = header.lower()
    return name.removeprefix(_MARK) if name.startswith(_MARK) or name in _BARE else ""


@cache
def _wire_type(name: str) -> bytes:
    return (WIRE_PREFIX + name).encode()


def _json(value: bytes) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Undecodable(reason=f"the value is not JSON: {error}") from None


# Those of a page are often the same.
@lru_cache(maxsize=_TIMES_MAX)
def _utc(moment: datetime) -> bytes:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()


@lru_cache(maxsize=_TIMES_MAX)
def _date(day: date) -> bytes:
    return day.isoformat().encode()
