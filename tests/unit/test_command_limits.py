"""Everything that a command holds has a limit that all behind it can hold; events have none, so that they stay readable."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from ltc_events.schemas.customer import RegisterCustomer
from ltc_events.schemas.export import exported, schema_of
from ltc_events.schemas.policy import Dunning, PublishPolicy
from ltc_events.schemas.registry import COMMANDS
from ltc_events.store.decoding import decode

Json = Mapping[str, Any]
TEXT_MAX = 4000
INTEGER_MAX = 2**31 - 1
ENTRIES_MAX = 10_000
# What a pattern leaves open is as wide as this for the parser of patterns.
_OPEN = re.compile("a*").pattern


def widest(pattern: str) -> int:
    """How many characters a text of this pattern may have, at most."""
    parser = re._parser  # type: ignore[attr-defined]
    anchored = pattern.startswith("^") and pattern.endswith("$")
    return int(parser.parse(pattern).getwidth()[1]) if anchored else int(parser.parse(_OPEN).getwidth()[1])


def unlimited(schema: Json, root: Json, at: str = "") -> Iterator[str]:
    """The places at or below `at` that have no limit, or one that is too wide."""
    if "$ref" in schema:
        yield from unlimited(root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
        return
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from unlimited(option, root, at)
    match schema.get("type"):
        case "string" if not _is_text_limited(schema):
            yield f"{at}: a text"
        case "integer" if not (schema.get("minimum", -(10**99)) >= -INTEGER_MAX and schema.get("maximum", 10**99) <= INTEGER_MAX):
            yield f"{at}: an integer"
        case "array":
            if schema.get("maxItems", 10**9) > ENTRIES_MAX:
                yield f"{at}: a list"
            yield from unlimited(schema["items"], root, f"{at}[]")
        case "object":
            yield from _unlimited_object(schema, root, at)
        case None if not ({"anyOf", "oneOf", "const", "enum"} & schema.keys()):
            yield f"{at}: anything"


def _is_text_limited(schema: Json) -> bool:
    if "enum" in schema or "const" in schema or schema.get("format") in ("uuid", "date", "date-time"):
        return True
    return schema.get("maxLength", 10**9) <= TEXT_MAX or widest(schema.get("pattern", "")) <= TEXT_MAX


def _unlimited_object(schema: Json, root: Json, at: str) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        yield from unlimited(field, root, f"{at}.{name}")
    extra, by_pattern = schema.get("additionalProperties", True), schema.get("patternProperties", {})
    if extra is False and not by_pattern:
        return
    if schema.get("maxProperties", 10**9) > ENTRIES_MAX:
        yield f"{at}: a mapping"
    for pattern, field in by_pattern.items():
        if widest(pattern) > TEXT_MAX:
            yield f"{at}: the names in a mapping"
        yield from unlimited(field, root, f"{at}{{}}")
    if isinstance(extra, Mapping):
        if not _is_text_limited(schema.get("propertyNames", {})):
            yield f"{at}: the names in a mapping"
        yield from unlimited(extra, root, f"{at}{{}}")
    elif not by_pattern:
        yield f"{at}: any object"


@pytest.mark.parametrize("type", sorted(COMMANDS))
def test_every_field_of_every_command_has_a_limit(type: str) -> None:
    schema = schema_of(COMMANDS[type])
    assert list(unlimited(schema, schema)) == []


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"type": "string"}, ": a text"),
        ({"type": "string", "maxLength": TEXT_MAX + 1}, ": a text"),
        ({"type": "string", "pattern": "^a+$"}, ": a text"),
        ({"type": "string", "pattern": "a"}, ": a text"),
        ({"type": "integer", "minimum": 1}, ": an integer"),
        ({"type": "integer", "maximum": 1}, ": an integer"),
        ({"type": "integer", "minimum": 1, "maximum": 2**31}, ": an integer"),
        ({"type": "array", "items": {"type": "boolean"}}, ": a list"),
        ({"type": "array", "maxItems": 1, "items": {"type": "string"}}, "[]: a text"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}, "propertyNames": {"maxLength": 9}}, ": a mapping"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}, "maxProperties": 9}, ": the names in a mapping"),
        ({"type": "object"}, ": a mapping"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, ": a text"),
        ({}, ": anything"),
    ],
)
def test_what_has_no_limit_is_found(schema: Json, found: str) -> None:
    assert found in list(unlimited(schema, schema))


def test_schemas_of_events_state_no_limits() -> None:
    limits = re.compile(r"'(min|max|exclusive)[A-Z][a-z]+'|propertyNames")
    stated = {file for file, schema in exported().items() if file.startswith("events/") and limits.search(repr(schema))}
    assert stated == set()


def test_a_reference_fits_into_an_index_of_postgresql() -> None:
    RegisterCustomer.model_validate({"profile": {"name": "Acme"}, "references": {"r" * 300: "\U0001f600" * 300}})
    for references in ({"crm": "x" * 301}, {"x" * 301: "1"}):
        with pytest.raises(ValidationError, match="at most 300"):
            RegisterCustomer.model_validate({"profile": {"name": "Acme"}, "references": references})


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "response_levels", "minutes": {"urgent": 10**12, "high": 240, "normal": 1440, "low": 4320}},
        {"kind": "response_levels", "minutes": {"urgent": -1, "high": 240, "normal": 1440, "low": 4320}},
        {"kind": "required_fields", "lead": ["need"] * 3000},
        {"kind": "stages", "stages": [{"name": "one", "probability": "10", "exit_criteria": ["met"] * 3000}]},
        {"kind": "dunning", "annual_interest_percent": "9", "fee": "10", "days_between": 10**6},
        {"kind": "assignment_rule", "open_leads_max": 10**12},
        {"kind": "score_model", "points": {"source": {f"value {number}": "1" for number in range(3000)}}},
        {"kind": "discount_matrix", "limits": {f"role {number}": "1" for number in range(3000)}},
        {"kind": "payment_terms", "terms": {"many": [{"percent": "0", "days": 1}] * 3000}},
    ],
    ids=lambda content: str(content["kind"]),
)
def test_what_commands_no_longer_take_is_readable_where_it_was_recorded(content: Json) -> None:
    with pytest.raises(ValidationError):
        PublishPolicy.model_validate({"content": content})
    (event,) = decode("policy.published.v1", orjson.dumps({"version": 1, "content": content}), 1)
    assert orjson.loads(event.model_dump_json())["content"].items() >= content.items()


def test_limits_hold_for_what_is_made_in_the_program_too() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 3650"):
        Dunning(kind="dunning", annual_interest_percent="9", fee="10", days_between=3651)  # type: ignore[arg-type]
