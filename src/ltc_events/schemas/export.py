"""JSON Schema (2020-12) of every command, of every event and of the answer to a command, as others may rely on it."""

from typing import Any

from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.catalogue import COMMANDS, EVENTS
from ltc_events.schemas.envelope import WIRE_PREFIX
from ltc_events.schemas.outcome import Result

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
    return {"$schema": _DIALECT, "$id": f"urn:ltc-events:{WIRE_PREFIX}{model.type}", **schema}
