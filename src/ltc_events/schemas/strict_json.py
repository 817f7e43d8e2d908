"""JSON as it comes from outside: nothing that two readers may understand in two ways."""

import json
from typing import Any

import orjson

from ltc_events.schemas.undecodable import Undecodable

# In a text a colon may also be written as an escape; then colons cannot be counted.
_ESCAPED = b"\\u00"


def loads(text: bytes | str, what: str = "it") -> Any:
    """The value; raises Undecodable for what is not JSON. Of a key that an object has twice it takes the last."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Undecodable(reason=f"{what} is not JSON: {error}", fix="send one JSON object, in UTF-8") from None


def loads_once(text: bytes, what: str = "it") -> Any:
    """The value; raises Undecodable for what is not JSON, and for an object that has a key twice."""
    value = loads(text, what)
    json.loads(text, object_pairs_hook=_once)
    return value


def require_once(text: bytes, value: Any) -> None:
    """See that no object has a key twice in this JSON, of which `value` was made.

    Of `{"amount": "1", "amount": "1000000"}` one reader takes the first, and another one the last. Every key has a colon: one
    that is lost takes its own along, and those of its value, so that fewer are left where the value is written again. To look
    for it is ten times as much work as to count, and to count several times as much as to see that what is written again is the
    same. Raises Undecodable.
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
