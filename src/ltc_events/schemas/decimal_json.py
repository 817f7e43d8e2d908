"""Commands and events as JSON, with decimals in plain notation (no exponent), as their schemas require."""

import re
from decimal import Decimal
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic_core import to_json

# So does Python write very small and some round numbers.
_SCIENTIFIC = re.compile(rb'"-?[0-9]+(?:\.[0-9]+)?E[+-][0-9]+"').search


def dump(model: BaseModel, **options: Any) -> bytes:
    """The model as JSON; `options` as those of pydantic's `model_dump`."""
    data = model.__pydantic_serializer__.to_json(model, **options)
    # It is rare, while codes with E- in them are not; and a whole text may look like it: then nothing changes. `find`, as `in`
    # first tries to take what it looks for as a number, with an exception that takes twice as long as to look.
    if data.find(b"E") >= 0 and (data.find(b"E-") >= 0 or data.find(b"E+") >= 0) and _SCIENTIFIC(data):
        return to_json(written_out(model.model_dump(**options)))
    return data


def values(model: BaseModel, **options: Any) -> dict[str, Any]:
    """The model as JSON-ready values."""
    dumped: dict[str, Any] = orjson.loads(dump(model, **options))
    return dumped


def written_out(value: Any) -> Any:
    """The value with every decimal in it in plain notation; other values unchanged."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return {name: written_out(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [written_out(one) for one in value]
    return value
