"""Commands at the bounds of what their schemas allow: one field at a time, of a command that is good as it stands."""

import copy
import re
from collections.abc import Iterator, Mapping
from random import Random
from string import ascii_letters
from typing import Any, NamedTuple
from uuid import uuid4

from tests.unit.test_command_limits import widest

from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.export import schema_of
from ltc_events.schemas.limits import LINES_MAX, NUMBER_PATTERN
from ltc_events.schemas.registry import COMMANDS

Json = Mapping[str, Any]
Place = tuple[str | int, ...]
LOW, HIGH, WIDE = "low", "high", "wide"
WAYS = (LOW, HIGH, WIDE)
"""The least, the most, and the most of characters that take four bytes."""
# Characters in no order, as an index row that repeats itself is compressed.
_chance = Random(7)
_LETTERS = "".join(_chance.choices(ascii_letters, k=4000))
_WIDE = "".join(map(chr, _chance.choices(range(0x1F300, 0x1F600), k=4000)))
_LINES_SENT = 300
"""Lists of lines go up to `LINES_MAX`: another test sends so many."""
_DIGITS = {LOW: "0.000000001", HIGH: "9" * 15 + "." + "9" * 9, WIDE: "9" * 15}
_FORMATS = {
    "uuid": {LOW: "00000000-0000-0000-0000-000000000000", HIGH: "ffffffff-ffff-ffff-ffff-ffffffffffff"},
    "date": {LOW: "1900-01-01", HIGH: "2199-12-31"},
    "date-time": {LOW: "1900-01-01T00:00:00Z", HIGH: "2199-12-31T23:59:59.999999Z"},
}
# The last day that policy can allow, which is a hundred years ahead, and the last one that the schema has.
_BUSINESS_DATES = {LOW: "1900-01-01", HIGH: "2125-12-31", WIDE: "2199-12-31"}
_SAMPLES = {"^[A-Z]{3}$": {LOW: "AED", HIGH: "ZWG"}}


class Bound(NamedTuple):
    """A place in the data of a command, and which of its bounds is meant."""

    place: Place
    way: str


def schema(type: str) -> Json:
    """The schema of a command, by its name on the wire."""
    return schema_of(COMMANDS[type.removeprefix(WIRE_PREFIX)])


def bounds(type: str, data: Json) -> list[Bound]:
    """Every bound of every field that this data has, or could have."""
    root = schema(type)
    return [Bound(place, way) for place in _places(root, root, data) for way in WAYS]


def at_bound(document: Json, bound: Bound) -> dict[str, Any]:
    """The command with one field at its bound, as a command of its own."""
    root = schema(document["type"])
    data = copy.deepcopy(document["data"])
    node, target = root, data
    *above, last = bound.place
    if bound.place == ("effective_on",):
        return {**document, "id": str(uuid4()), "data": {**data, "effective_on": _BUSINESS_DATES[bound.way]}}
    for step in above:
        node, target = _below(node, root, target, step), target[step]
    target[last] = _value(
        _below(node, root, target, last), root, bound.way, target.get(last) if isinstance(target, dict) else None
    )
    return {**document, "id": str(uuid4()), "data": data}


def shape(bound: Bound) -> str:
    """Where it is, whichever item of a list is meant: `lines[].quantity, high`."""
    return ".".join("[]" if isinstance(step, int) else step for step in bound.place) + f", {bound.way}"


def _places(node: Json, root: Json, data: Any, at: Place = ()) -> Iterator[Place]:
    node = _resolved(node, root, data)
    if at:
        yield at
    if isinstance(data, list) and data and "items" in node:
        for place in _places(node["items"], root, data[0], (*at, 0)):
            if len(place) > len(at) + 1:
                yield place
    if isinstance(data, Mapping):
        for name, field in node.get("properties", {}).items():
            yield from _places(field, root, data.get(name), (*at, name))


def _resolved(node: Json, root: Json, data: Any = None) -> Json:
    """The schema itself, behind references and options: the option that the data is of, else the first that is not null."""
    if "$ref" in node:
        return _resolved(root["$defs"][node["$ref"].rpartition("/")[2]], root, data)
    options = [_resolved(one, root, data) for one in (*node.get("anyOf", ()), *node.get("oneOf", ()))]
    if not options:
        return node
    kind = data.get("kind") if isinstance(data, Mapping) else None
    of_kind = [one for one in options if kind is not None and one.get("properties", {}).get("kind", {}).get("const") == kind]
    return (of_kind or [one for one in options if one.get("type") != "null"])[0]


def _below(node: Json, root: Json, data: Any, step: str | int) -> Json:
    node = _resolved(node, root, data)
    found: Json = node["items"] if isinstance(step, int) else node["properties"][step]
    return found


def _value(node: Json, root: Json, way: str, given: Any) -> Any:
    node = _resolved(node, root, given)
    if "const" in node:
        return node["const"]
    if "enum" in node:
        return node["enum"][0 if way == LOW else -1]
    match node.get("type"):
        case "string":
            return _text(node, way)
        case "integer":
            return node.get("minimum", 0) if way == LOW else node.get("maximum", 0)
        case "boolean":
            return way != LOW
        case "array":
            return _list(node, root, way, given)
        case _:
            return _object(node, root, way, given)


def _text(node: Json, way: str) -> str:
    pattern = node.get("pattern", "")
    if node.get("format") in _FORMATS:
        values = _FORMATS[node["format"]]
        return values.get(way, values[HIGH])
    if pattern == NUMBER_PATTERN:
        return _DIGITS[way]
    if pattern in _SAMPLES:
        return _SAMPLES[pattern].get(way, "EUR")
    longest = min(node.get("maxLength", 10**9), widest(pattern) if pattern else 10**9)
    if not pattern:
        return _LETTERS[: node.get("minLength", 0)] if way == LOW else (_WIDE if way == WIDE else _LETTERS)[:longest]
    if "@" in pattern:
        return "a@b" if way == LOW else f"{'a' * 64}@{'b' * (longest - 65)}"[:longest]
    character = "0" if way == LOW else "z" if re.fullmatch(pattern, "z" * longest) else "9"
    least = next(size for size in range(1, longest + 1) if re.fullmatch(pattern, character * size))
    return character * (least if way == LOW else longest)


def _list(node: Json, root: Json, way: str, given: Any) -> list[Any]:
    least, most = node.get("minItems", 0), node.get("maxItems", 1)
    size = least if way == LOW else _LINES_SENT if most == LINES_MAX else most
    first = given[0] if isinstance(given, list) and given else None
    items = [copy.deepcopy(first) if first is not None else _value(node["items"], root, LOW, None) for _ in range(size)]
    for number, item in enumerate(items, 1):
        if isinstance(item, dict) and "line" in item:
            item["line"] = number
    return items


def _object(node: Json, root: Json, way: str, given: Any) -> dict[str, Any]:
    """All its fields at their bounds, where it states them; else so many entries as it may have."""
    if "properties" in node:
        fields = {name: _value(field, root, way, None) for name, field in node["properties"].items()}
        return {**fields, **({"kind": given["kind"]} if isinstance(given, dict) and "kind" in given else {})}
    names, most = node.get("propertyNames", {}), node.get("maxProperties", 1)
    inside, by_pattern = node.get("additionalProperties"), node.get("patternProperties", {})
    if by_pattern:
        pattern, inside = next(iter(by_pattern.items()))
        names = {"pattern": pattern}
    if way == LOW:
        return {}
    widest_name = _text({"type": "string", **names}, way)
    keys = [widest_name[: -len(str(number))] + str(number) for number in range(most)]
    return {key: _value(inside or {"type": "string"}, root, way, None) for key in keys}
