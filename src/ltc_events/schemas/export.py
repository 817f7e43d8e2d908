"""JSON Schema (2020-12) of every command, every event and the answer to a command, as published."""

from typing import Any

from ltc_events.schemas.base import WIRE_PREFIX, Command, Event
from ltc_events.schemas.checked import EMAIL_FORMAT
from ltc_events.schemas.limits import DAY_PATTERN, NUMBER_PATTERN, RECORDED_NUMBER_PATTERN
from ltc_events.schemas.outcome import Result
from ltc_events.schemas.registry import COMMANDS, EVENTS

RESULT_FILE = "results/command.result.v1.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def exported() -> dict[str, dict[str, Any]]:
    """Path of the file below the export's folder → its schema: `commands/lead.capture.v1.json`."""
    models: list[type[Command] | type[Event]] = [*COMMANDS.values(), *EVENTS.values()]
    files = {file_of(model): schema_of(model) for model in models}
    files[RESULT_FILE] = {"$schema": _DIALECT, "$id": "urn:ltc-events:ltc.command.result.v1", **Result.model_json_schema()}
    return dict(sorted(files.items()))


def file_of(model: type[Command] | type[Event]) -> str:
    """Where the schema of a command or event is, below the export's folder."""
    return f"{'commands' if issubclass(model, Command) else 'events'}/{model.type}.json"


def schema_of(model: type[Command] | type[Event]) -> dict[str, Any]:
    """The schema of one command's or event's data."""
    schema = model.model_json_schema()
    properties = schema.get("properties", {})
    if issubclass(model, Command):
        properties.pop("occurred_at", None)
        properties["effective_on"].pop("default", None)
    else:
        schema = _unlimited(schema)
    return {"$schema": _DIALECT, "$id": f"urn:ltc-events:{WIRE_PREFIX}{model.type}", **schema}


# What is said of events must be true of all that was ever recorded: limits are those of commands (adr 3).
_LIMITS = frozenset(
    [
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"),
        *("minItems", "maxItems", "minProperties", "maxProperties", "propertyNames"),
    ]
)


def _unlimited(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_unlimited(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    stated = {name: _unlimited(one) for name, one in schema.items() if name not in _LIMITS}
    if stated.get("pattern") == DAY_PATTERN:
        del stated["pattern"]
    if stated.get("format") == EMAIL_FORMAT:
        del stated["format"]
    if stated.get("pattern") == NUMBER_PATTERN:
        stated["pattern"] = RECORDED_NUMBER_PATTERN
    return stated
