"""Fast validation of commands in JSON by pydantic's core alone, without the Python functions of their own validators.

The functions in `limits` check the forms of ids, dates, times, amounts and sizes; they also accept Python values and give the
messages that users see. In JSON these values are strings whose form is a pattern, which the core checks in a third of the time.
A value that fails here is validated again by the command's own validator, which decides and gives the message.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import SchemaValidator, core_schema

from ltc_events.kernel.ids import RESERVED_TEXT
from ltc_events.schemas import limits
from ltc_events.schemas.checked import Checked
from ltc_events.schemas.limits import Limits

_NUMBER = core_schema.str_schema(strict=True, pattern=rf"^-?[0-9]{{1,{limits.NUMBER_DIGITS}}}(\.[0-9]{{1,9}})?$")
_DAY = core_schema.str_schema(strict=True, pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_MOMENT = core_schema.str_schema(
    strict=True,
    pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$",
)
_UUID = core_schema.str_schema(strict=True, min_length=36, max_length=36)
_FORMS: dict[Any, core_schema.CoreSchema] = {
    limits.number_as_text: _NUMBER,
    limits.day_as_text: _DAY,
    limits.moment_as_text: _MOMENT,
    limits.uuid_as_text: _UUID,
}
"""By the function that checks a value's form before anything else does."""
_SIZED = frozenset({"tuple", "list", "dict"})
_COUNTED = frozenset({"int"})
# Of the digits that reserved ids begin with those behind the last letter, which can be written large and small.
_RESERVED = re.split("[a-f]", RESERVED_TEXT)[-1].encode()

Validate = Callable[[Any], Any]


def may_name_reserved(content: bytes) -> bool:
    """Whether this JSON may contain an id reserved for the ledger. False positives occur, false negatives do not."""
    return content.find(_RESERVED) >= 0  # `in` takes three times as long: see `decimal_json.dump`


@cache
def json_validator(model: type[BaseModel]) -> Validate:
    """The validator for values parsed from JSON without a reserved id (`may_name_reserved`); it raises ValidationError.

    The model's own validator accepts whatever it accepts, with the same result. Pass what it refuses to the model's own
    validator, which may still accept it or else gives the message.
    """
    model.model_rebuild()
    return native_validator(model.__pydantic_core_schema__)


def native_validator(schema: core_schema.CoreSchema) -> Validate:
    """The same for any core schema of pydantic's."""
    # By itself the core takes for a class the validator that it has, whatever the schema says of its fields.
    return SchemaValidator(_native(schema), _use_prebuilt=False).validate_python


def recorded_validator(model: type[BaseModel]) -> Callable[[bytes], Any]:
    """The validator for an event's stored JSON, without the checks that apply to commands alone."""
    model.model_rebuild()
    return SchemaValidator(_recorded(model.__pydantic_core_schema__), _use_prebuilt=False).validate_json


def _recorded(node: Any) -> Any:
    """The schema without the functions that accept every recorded value (`limits.RECORDED`)."""
    if isinstance(node, list):
        return [_recorded(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "function-after" and isinstance(getattr(_function(node), "__self__", None), (Limits, Checked)):
        return _recorded(node["schema"])
    return {name: one if name == "metadata" else _recorded(one) for name, one in node.items()}


def _native(node: Any) -> Any:
    """The schema with patterns in place of check functions; other values are returned unchanged."""
    if isinstance(node, list):
        return [_native(one) for one in node]
    if not isinstance(node, dict):
        return node
    kind, function = node.get("type"), _function(node)
    if kind == "function-before" and function in _FORMS:
        inner = _native(node["schema"])
        written = core_schema.chain_schema([_FORMS[function], inner])
        if function is limits.day_as_text:  # the business date may be that of the envelope's time
            return core_schema.union_schema([{**inner, "strict": True}, written], mode="left_to_right")
        return written
    if kind == "default" and node.get("default") == {}:
        # A new one each time, where the core would have Python copy an empty one.
        kept = {name: one for name, one in node.items() if name not in ("default", "schema")}
        return {**kept, "schema": _native(node["schema"]), "default_factory": dict}
    if kind == "function-after" and function is limits.own_uuid:
        return _native(node["schema"])
    if kind == "function-after":
        bounded = _bounded(function, _native(node["schema"]))
        if bounded is not None:
            return bounded
    return {name: one if name == "metadata" else _native(one) for name, one in node.items()}


def _function(node: dict[str, Any]) -> Any:
    function = node.get("function")
    return function.get("function") if isinstance(function, dict) else None


def _bounded(function: Any, inner: Any) -> dict[str, Any] | None:
    """The inner schema with the limits that its type supports; None: there are none, or the type supports none of them."""
    found = getattr(function, "__self__", None)
    if not isinstance(found, Limits):
        return None
    given = {"ge": found.least, "le": found.most, "max_length": found.entries_max}
    known = {name: limit for name, limit in given.items() if limit is not None}
    kind = inner.get("type")
    fits = kind in (_SIZED if set(known) == {"max_length"} else _COUNTED if "max_length" not in known else ())
    return {**inner, **known} if fits and known.keys().isdisjoint(inner) else None
