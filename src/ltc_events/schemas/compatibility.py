"""Backward compatibility of schemas: whether a schema accepts everything that its predecessor accepted."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
_LOWER_LIMITS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_OTHER_VALUE = "no longer takes"
_UPPER_LIMITS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


COMMANDS = "commands/"
"""The folder of commands, which alone may be narrowed: a sender is told, and can send what is taken; an event stays as it is."""


def incompatibilities(
    old: Mapping[str, Json], new: Mapping[str, Json], upcast: Collection[str] = (), accepted: Collection[str] = ()
) -> list[str]:
    """The incompatible changes from the export `old` to `new`, one sentence each, with a fix; empty: there are none.

    Types in `upcast` are read through an upcaster: they are gone from the code, and their schemas stay as they are.
    Narrowings of commands that are `accepted` (see `narrowings`) are no incompatibility; those of events always are.
    """
    problems: list[str] = []
    for file, schema in old.items():
        type = file.rpartition("/")[2].removesuffix(".json")
        if file in new:
            found = narrowings({file: schema}, new)
            problems.extend(
                f"{problem}; {_way_out(file, type)}"
                for problem in found
                if not (file.startswith(COMMANDS) and problem in accepted)
            )
        elif type not in upcast:
            problems.append(f"{file}: the type is gone; {_way_out(file, type, gone=True)}")
    return problems


def narrowings(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
    """What the schemas of `old` that are still there allow and those of `new` do not, as `file: place and change`."""
    return [
        f"{file}: {problem}"
        for file, schema in old.items()
        if file in new
        for problem in _narrowed(schema, new[file], schema, new[file], "")
    ]


def _way_out(file: str, type: str, *, gone: bool = False) -> str:
    parsed = re.fullmatch(r"(.+)\.v([0-9]+)", type)
    following = f"{parsed[1]}.v{int(parsed[2]) + 1}" if parsed else "a new type"
    if file.startswith("events/"):
        return (
            f"what is stored would be lost: give {type} an upcaster, or keep its class"
            if gone
            else f"what is stored would not be read: make it {following}, with an upcaster from {type}"
        )
    return f"senders may still send it: keep {type}, and add {following} beside it"


def _narrowed(old: Json, new: Json, old_root: Json, new_root: Json, at: str) -> Iterator[str]:
    """The values below `at` that `old` allows and `new` does not."""
    old, new = _resolve(old, old_root), _resolve(new, new_root)
    if "anyOf" in old or "oneOf" in old or "anyOf" in new or "oneOf" in new:
        yield from _alternatives(old, new, old_root, new_root, at)
        return
    where = at or "the data"
    if new and old.get("type") != new.get("type"):
        yield f"{where} was {old.get('type', 'anything')} and is now {new.get('type')}"
        return
    yield from _limits(old, new, where)
    yield from _values(old, new, where)
    yield from _properties(old, new, old_root, new_root, at)
    yield from _members(old, new, old_root, new_root, at)


def _members(old: Json, new: Json, old_root: Json, new_root: Json, at: str) -> Iterator[str]:
    """What lists and mappings hold, and the names in mappings."""
    for inside in ("items", "additionalProperties"):
        before, after = old.get(inside), new.get(inside)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _narrowed(before, after, old_root, new_root, f"{at}[]")
    if "propertyNames" in new:
        yield from _limits(old.get("propertyNames", {}), new["propertyNames"], f"names in {at}")
    before, after = old.get("patternProperties", {}), new.get("patternProperties", {})
    for pattern, schema in after.items():
        if pattern in before:
            yield from _narrowed(before[pattern], schema, old_root, new_root, f"{at}[]")
        else:
            yield f"names in {at} have the pattern {pattern}, which was {', '.join(before) or 'none'}"


def _properties(old: Json, new: Json, old_root: Json, new_root: Json, at: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name, schema in before.items():
        path = f"{at}.{name}".lstrip(".")
        if name in after:
            yield from _narrowed(schema, after[name], old_root, new_root, path)
        elif new.get("additionalProperties") is False:
            yield f"{path} is gone, so that what has it is refused"
    for name in new.get("required", ()):
        if name not in old.get("required", ()):
            yield f"{f'{at}.{name}'.lstrip('.')} is required now; give it a default"


def _limits(old: Json, new: Json, where: str) -> Iterator[str]:
    for key in _LOWER_LIMITS:
        if key in new and (key not in old or new[key] > old[key]):
            yield f"{where} has the {key} {new[key]}, which was {old.get(key, 'none')}"
    for key in _UPPER_LIMITS:
        if key in new and (key not in old or new[key] < old[key]):
            yield f"{where} has the {key} {new[key]}, which was {old.get(key, 'none')}"
    for key in ("pattern", "format"):
        if key in new and new[key] != old.get(key):
            yield f"{where} has the {key} {new[key]}, which was {old.get(key, 'none')}"


def _values(old: Json, new: Json, where: str) -> Iterator[str]:
    before, after = _allowed(old), _allowed(new)
    if after is not None and (before is None or not before <= after):
        gone = "any other value" if before is None else ", ".join(sorted(before - after))
        yield f"{where} {_OTHER_VALUE} {gone}"


def _allowed(schema: Json) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(value) for value in schema["enum"]} if "enum" in schema else None


def _alternatives(old: Json, new: Json, old_root: Json, new_root: Json, at: str) -> Iterator[str]:
    choices = _choices(new)
    for option in _choices(old):
        complaints = [list(_narrowed(option, choice, old_root, new_root, at)) for choice in choices]
        if all(complaints):
            yield from min(complaints, key=lambda found: (any(_OTHER_VALUE in one for one in found), len(found)))


def _choices(schema: Json) -> list[Json]:
    return list(schema.get("anyOf") or schema.get("oneOf") or [schema])


def _resolve(schema: Json, root: Json) -> Json:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema
