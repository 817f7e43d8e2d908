"""JSON Schema (2020-12) of every command and event, as others may rely on it."""

from typing import Any

from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.catalogue import COMMANDS, EVENTS
from ltc_events.schemas.envelope import WIRE_PREFIX

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def exported() -> dict[str, dict[str, Any]]:
    """Path of the file below the export's folder → its schema: `commands/lead.capture.v1.json`."""
    files = {f"commands/{name}.json": schema_of(model) for name, model in COMMANDS.items()}
    files.update({f"events/{name}.json": schema_of(model) for name, model in EVENTS.items()})
    return dict(sorted(files.items()))


def schema_of(model: type[Command] | type[Event]) -> dict[str, Any]:
    """The schema of one command's or event's data."""
    schema = model.model_json_schema()
    properties = schema.get("properties", {})
    if issubclass(model, Command):
        properties.pop("occurred_at", None)
        properties["effective_on"].pop("default", None)
    return {"$schema": _DIALECT, "$id": f"urn:ltc-events:{WIRE_PREFIX}{model.type}", **schema}
