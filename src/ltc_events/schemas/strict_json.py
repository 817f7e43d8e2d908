"""Strict parsing of JSON from outside: documents that two readers may understand differently are refused."""

import json
from typing import Any

import orjson

from ltc_events.schemas.undecodable import Undecodable

# In a text a colon may also be written as an escape; then colons cannot be counted.
_ESCAPED = b"\\u00"


def loads(text: bytes | str, what: str = "it") -> Any:
    """The value; raises Undecodable for what is not JSON. Of a repeated key the last value counts."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Undecodable(reason=f"{what} is not JSON: {error}", fix="send one JSON object, in UTF-8") from None


def loads_once(text: bytes, what: str = "it") -> Any:
    """The value; raises Undecodable for what is not JSON, and for an object with a repeated key."""
    value = loads(text, what)
    json.loads(text, object_pairs_hook=_once)
    return value


def require_once(text: bytes, value: Any) -> None:
    """Check that no object in this JSON, which was parsed into `value`, has a repeated key. Raises Undecodable.

    Of `{"amount": "1", "amount": "1000000"}` one reader takes the first value, and another one the last. The cheapest test comes
    first: compare the text with `value` serialised again; then count colons, since a dropped key takes its colons along; only
    then look for the key, at ten times the cost of counting.
    """
    written = orjson.dumps(value, default=str)
    if text == written:
        return
    if text.count(b":") != written.count(b":") or _ESCAPED in text:
        json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for index, name in enumerate(names) if name in names[:index])
        shown = name[:100].replace("\0", "\\0")
        raise Undecodable(reason=f"it has the field {shown} twice", at=shown, fix=f"state {shown} once")
    return found
