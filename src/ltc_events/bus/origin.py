"""The origin of a message as JSON (topic, partition, offset, key, headers), and the message rebuilt from it."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from ltc_events.bus.cloudevents import command_document

if TYPE_CHECKING:
    from ltc_events.bus.consumer import Polled  # with it comes Kafka's client, which only some need

Message = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""Key, value and headers, as they came."""


def origin_of(topic: str, message: "Polled") -> bytes:
    """The topic, partition and offset of a message, its key and its headers."""
    origin = {
        "topic": topic,
        "partition": message.partition,
        "offset": message.offset,
        "key": _written(message.key),
        "headers": [[name.replace("\0", "\\0"), _written(value)] for name, value in message.headers],
        "has_value": message.value is not None,
    }
    return orjson.dumps(origin)


def message_of(origin: Mapping[str, Any], value: bytes) -> Message:
    """The message rebuilt from its origin and its value."""
    headers = [(str(name), _read(content)) for name, content in origin["headers"]]
    return _read(origin["key"]), value if origin["has_value"] else None, headers


def command_of(origin: Mapping[str, Any], value: bytes) -> Mapping[str, Any]:
    """The structured-mode document of the command in a message rebuilt from its origin and value; raises Undecodable."""
    key, content, headers = message_of(origin, value)
    return command_document(headers, key, content)


def _written(value: bytes | None) -> dict[str, str] | None:
    """Bytes for JSON: as text where they are UTF-8 that PostgreSQL can store, else in base64."""
    if value is None:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}
    return {"base64": b64encode(value).decode()} if "\0" in text else {"text": text}


def _read(written: Mapping[str, str] | None) -> bytes | None:
    if written is None:
        return None
    return written["text"].encode() if "text" in written else b64decode(written["base64"])
