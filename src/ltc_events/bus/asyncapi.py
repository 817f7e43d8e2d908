"""The Kafka interface as an AsyncAPI 3.0 document: channels, messages by type, headers; payloads are the exported schemas.

It is written from the application's side, which receives commands and sends the rest.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ltc_events.bus.cloudevents import EPOCH_BEGAN, JSON, RESULT_TYPE, SOURCE
from ltc_events.bus.topics import COMMANDS, DEAD_LETTERS, EVENTS, MESSAGE_BYTES_MAX, PARTITIONS, RESULTS, Bus, Topic
from ltc_events.schemas import registry
from ltc_events.schemas.base import WIRE_PREFIX, Command, Event
from ltc_events.schemas.compatibility import incompatibilities as narrowed
from ltc_events.schemas.export import RESULT_FILE, file_of
from ltc_events.schemas.tracing import PARENT, STATE, STATE_CHARACTERS_MAX
from ltc_events.schemas.upcasting import UPCASTERS

NAME = "asyncapi.json"
"""The file, beside the folders of the schemas."""
Json = dict[str, Any]
_DIALECT = "application/schema+json;version=2020-12"
_BINDING = {"bindingVersion": "0.5.0"}
_TEXT = {"type": "string"}
_UUID = {"type": "string", "format": "uuid"}
_TIME = {"type": "string", "format": "date-time"}
_NUMBER = {"type": "string", "pattern": "^[1-9][0-9]*$"}
_CONTENT_TYPE = {"content-type": {"type": "string", "const": JSON.decode()}}
_SPECVERSION = {"ce_specversion": {"type": "string", "const": "1.0"}}
_EPOCH = {
    "ce_epoch": {**_TEXT, "description": "the epoch of the store: a number, and what tells it from another one of that number"}
}
_TRACE = {
    PARENT: {**_TEXT, "description": "W3C Trace Context: the trace of the command, which goes on with what follows from it"},
    STATE: {**_TEXT, "maxLength": STATE_CHARACTERS_MAX, "description": "what tracing systems added to it"},
}

COMMAND_HEADERS: Json = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_partitionkey"],
    "properties": {
        **_SPECVERSION,
        "ce_id": {**_UUID, "description": "the command's id; the same id with the same content has one effect"},
        "ce_source": {**_TEXT, "minLength": 1, "maxLength": 300, "description": "the system that sends it"},
        "ce_type": {**_TEXT, "description": "ltc. and the name of the command"},
        "ce_subject": {**_UUID, "description": "what the command is about"},
        "ce_partitionkey": {**_UUID, "description": "the customer, and the message's key, letter by letter"},
        "ce_time": {**_TIME, "description": "when it happened; the time of receipt when absent"},
        "ce_correlationid": {**_UUID, "description": "the conversation; ce_id when absent"},
        "ce_causationid": {**_UUID, "description": "what caused the command; ce_id when absent"},
        "ce_actor": {**_TEXT, "minLength": 1, "maxLength": 300, "description": "who wants it; ce_source when absent"},
        "ce_expectedversion": {
            "type": "string",
            "pattern": "^[0-9]{1,16}$",
            "description": "the version of ce_subject that the sender saw, 0 where it is new; refused when it is another",
        },
        **_TRACE,
        "content-type": {**_TEXT, "description": "application/json; or application/cloudevents+json, and all is in the value"},
    },
}
EVENT_HEADERS: Json = {
    "type": "object",
    "required": [
        *("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_partitionkey", "ce_position"),
        *("ce_version", "ce_effectiveon", "ce_recordedat", "ce_commandid", "ce_correlationid", "ce_causationid", "ce_actor"),
        "content-type",
    ],
    "properties": {
        **_SPECVERSION,
        "ce_id": {**_NUMBER, "description": "the position: unique, and the same at every delivery"},
        "ce_source": {"type": "string", "const": SOURCE},
        "ce_type": {**_TEXT, "description": "ltc. and the name of the event"},
        "ce_subject": {**_UUID, "description": "what it happened to"},
        "ce_time": {**_TIME, "description": "when it happened"},
        "ce_partitionkey": {**_UUID, "description": "the message's key: the customer, or the subject where there is none"},
        "ce_position": {**_NUMBER, "description": "the place in the log, from 1 without a gap"},
        **_EPOCH,
        "ce_version": {**_NUMBER, "description": "the place among the events of the subject, from 1 without a gap"},
        "ce_effectiveon": {"type": "string", "format": "date", "description": "the business date"},
        "ce_recordedat": {**_TIME, "description": "when the ledger learnt of it"},
        "ce_commandid": {**_UUID, "description": "the command that it followed from"},
        "ce_correlationid": {**_UUID, "description": "the conversation"},
        "ce_causationid": {**_UUID, "description": "what caused it"},
        "ce_actor": {**_TEXT, "description": "who wanted it"},
        "ce_customerid": {**_UUID, "description": "the customer; absent for what belongs to the company"},
        **_TRACE,
        **_CONTENT_TYPE,
    },
}
RESULT_HEADERS: Json = {
    "type": "object",
    "required": [
        *("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_partitionkey"),
        *("ce_correlationid", "ce_causationid", "content-type"),
    ],
    "properties": {
        **_SPECVERSION,
        "ce_id": {**_UUID, "description": "the command's id"},
        "ce_source": {"type": "string", "const": SOURCE},
        "ce_type": {"type": "string", "const": RESULT_TYPE},
        "ce_subject": {**_TEXT, "description": "what the command was about; its id, where it is undecodable"},
        "ce_time": {**_TIME, "description": "when it was answered"},
        "ce_partitionkey": {**_UUID, "description": "the key of the command, and of this message"},
        **_EPOCH,
        "ce_correlationid": {**_TEXT, "description": "that of the command; its id when it had none"},
        "ce_causationid": {**_UUID, "description": "the command's id"},
        "ce_principal": {
            **_TEXT,
            "description": "who sent the command, as he was authenticated: source: and the name of a source, user: and a login,"
            " worker: and a part of the ledger; absent where nobody was",
        },
        **_TRACE,
        **_CONTENT_TYPE,
    },
}
EPOCH_HEADERS: Json = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_epoch", "content-type"],
    "properties": {
        **_SPECVERSION,
        "ce_id": {**_TEXT, "description": "the epoch"},
        "ce_source": {"type": "string", "const": SOURCE},
        "ce_type": {"type": "string", "const": EPOCH_BEGAN},
        "ce_subject": {**_TEXT, "description": "the epoch"},
        "ce_time": {**_TIME, "description": "when it began"},
        **_EPOCH,
        **_CONTENT_TYPE,
    },
}
EPOCH_PAYLOAD: Json = {
    "type": "object",
    "required": ["epoch", "after", "begun_at", "reason"],
    "properties": {
        "epoch": {**_TEXT, "description": "the epoch that began"},
        "after": {"type": "integer", "minimum": 0, "description": "events behind this position that came before are void"},
        "begun_at": _TIME,
        "reason": _TEXT,
    },
}
DEAD_LETTER_HEADERS: Json = {
    "type": "object",
    "required": ["ltc_reason", "ltc_topic", "ltc_partition", "ltc_offset"],
    "properties": {
        "ltc_reason": {**_TEXT, "description": "what is wrong with it, in words"},
        "ltc_field": {**_TEXT, "description": "the attribute, or the path in the data, that it is about; empty: the whole"},
        "ltc_fix": {**_TEXT, "description": "what would make it a command"},
        "ltc_commandid": {**_TEXT, "description": "the id that it would have; empty where it cannot be read"},
        "ltc_topic": {**_TEXT, "description": "where it came"},
        "ltc_partition": {"type": "string", "pattern": "^[0-9]+$"},
        "ltc_offset": {"type": "string", "pattern": "^[0-9]+$"},
        "ltc_size": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "present where it did not fit into a message and was cut: how many bytes it had. It is kept whole",
        },
    },
}
_HEADERS = {
    "command": COMMAND_HEADERS,
    "event": EVENT_HEADERS,
    "epoch": EPOCH_HEADERS,
    "result": RESULT_HEADERS,
    "deadLetter": DEAD_LETTER_HEADERS,
}
_RECEIVED = ("command",)


def document() -> Json:
    """The whole document. Its `$ref`s to files are relative to the folder that it stands in."""
    commands = {name: _message(model) for name, model in sorted(registry.COMMANDS.items())}
    events = {name: _message(model) for name, model in sorted(registry.EVENTS.items())}
    events |= {name: _older_message(name) for name in sorted(UPCASTERS)}  # they are in the log and on the topic
    result = {
        "name": RESULT_TYPE,
        "title": "Outcome of a command",
        "summary": "What became of a command: accepted, refused and why, or the first outcome again.",
        "contentType": JSON.decode(),
        "headers": {"$ref": "#/components/schemas/resultHeaders"},
        "payload": _payload(RESULT_FILE),
        "bindings": _key(_UUID),
    }
    epoch = {
        "name": EPOCH_BEGAN,
        "title": "The store has gone back",
        "summary": "On every partition, perhaps again: what came before the first, behind the position `after`, is void.",
        "contentType": JSON.decode(),
        "headers": {"$ref": "#/components/schemas/epochHeaders"},
        "payload": {"schemaFormat": _DIALECT, "schema": {"$ref": "#/components/schemas/epochBegan"}},
    }
    letter = {
        "name": "dead-letter",
        "title": "What came as a command and is none",
        "summary": "Key, value and headers as they came, and beside them where that was and what is wrong.",
        "headers": {"$ref": "#/components/schemas/deadLetterHeaders"},
        "bindings": _key({"description": "as it came"}),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ltc-events over Kafka",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka's binary mode, keyed by customer. The names of topics begin with `ltc` "
            "unless LTC_KAFKA_PREFIX says otherwise. In words: docs/upstream.md.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": JSON.decode(),
        "channels": {
            "commands": _channel(COMMANDS, commands),
            "events": _channel(EVENTS, {**events, EPOCH_BEGAN.removeprefix(WIRE_PREFIX): epoch}),
            "command-results": _channel(RESULTS, {RESULT_TYPE: result}),
            "dead-letters": _channel(DEAD_LETTERS, {"dead-letter": letter}),
        },
        "operations": {
            "receiveCommands": {
                "action": "receive",
                "channel": {"$ref": "#/channels/commands"},
                "summary": "Take commands, each with one effect however often it comes.",
                "reply": {"channel": {"$ref": "#/channels/command-results"}},
            },
            "sendEvents": _sends("events", "Every stored event in the order of positions, at least once."),
            "sendResults": _sends("command-results", "The outcome of every command, at least once."),
            "sendDeadLetters": _sends("dead-letters", "What came as a command and could not be decoded."),
        },
        "components": {
            "schemas": {f"{name}Headers": schema for name, schema in _HEADERS.items()} | {"epochBegan": EPOCH_PAYLOAD}
        },
    }


def incompatibilities(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The incompatible changes from the document `old` to `new`, one sentence each; `schemas.compatibility` has the payloads."""
    return [*_channels_gone(old, new), *_headers_narrowed(old, new), *_headers_gone(old, new)]


def _channels_gone(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name, channel in old.get("channels", {}).items():
        if name not in new["channels"]:
            yield f"{NAME}: the channel {name} is gone"
            continue
        now = new["channels"][name]
        if now["address"] != channel["address"]:
            yield f"{NAME}: the topic of {name} was {channel['address']} and is now {now['address']}"
        for message in channel["messages"]:
            if message not in now["messages"]:
                yield f"{NAME}: {name} no longer knows {message}"


def _headers_narrowed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Messages that we receive must still be accepted as before."""
    for name in _RECEIVED:
        file = f"{NAME}, {name}Headers"
        if before := _headers(old, name):
            yield from narrowed({file: before}, {file: _headers(new, name)})


def _headers_gone(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Headers that we always send must still be sent."""
    for name in _HEADERS.keys() - set(_RECEIVED):
        before, after = _headers(old, name), _headers(new, name)
        for header in before.get("required", ()):
            if header not in after["required"]:
                yield f"{NAME}, {name}Headers: {header} is no longer always there"
        for header, schema in before.get("properties", {}).items():
            if after["properties"].get(header, schema) != schema and "const" in schema:
                yield f"{NAME}, {name}Headers: {header} is no longer always {schema['const']}"


def _headers(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document.get("components", {}).get("schemas", {}).get(f"{name}Headers", {})
    return found


def _message(model: type[Command] | type[Event]) -> Json:
    kind = "command" if issubclass(model, Command) else "event"
    summary = (model.__doc__ or "").strip().partition("\n")[0]
    return _typed(kind, model.type, model.__name__, summary, file_of(model))


def _older_message(type: str) -> Json:
    """An older event type that is no longer recorded: it is published as it was stored."""
    summary = f"Recorded by older versions; told as {' and '.join(UPCASTERS[type].new)} since."
    return _typed("event", type, type, summary, f"events/{type}.json")


def _typed(kind: str, type: str, title: str, summary: str, file: str) -> Json:
    type_of = {"properties": {"ce_type": {"const": WIRE_PREFIX + type}}}
    return {
        "name": WIRE_PREFIX + type,
        "title": title,
        "summary": summary,
        "contentType": JSON.decode(),
        "headers": {"allOf": [{"$ref": f"#/components/schemas/{kind}Headers"}, type_of]},
        "payload": _payload(file),
        "bindings": _key(_UUID),
    }


def _payload(file: str) -> Json:
    return {"schemaFormat": _DIALECT, "schema": {"$ref": f"./{file}"}}


def _key(schema: Json) -> Json:
    return {"kafka": {"key": schema, **_BINDING}}


def _channel(topic: Topic, messages: Json) -> Json:
    return {
        "address": Bus("").topic(topic),
        "description": topic.meaning,
        "messages": messages,
        "bindings": {
            "kafka": {
                "partitions": PARTITIONS,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": MESSAGE_BYTES_MAX,
                },
                **_BINDING,
            }
        },
    }


def _sends(channel: str, summary: str) -> Json:
    return {"action": "send", "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}
