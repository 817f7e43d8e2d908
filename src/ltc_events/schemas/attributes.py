"""The attributes of a command's CloudEvent, and the detection of misspelt ones."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from ltc_events.schemas.base import AnyId, Moment
from ltc_events.schemas.fixes import fix_of
from ltc_events.schemas.json_validation import native_validator
from ltc_events.schemas.limits import NAME_CHARACTERS_MAX
from ltc_events.schemas.tracing import PARENT, STATE
from ltc_events.schemas.undecodable import Undecodable

VERSION_MAX = 2**53 - 1
"""What every reader of JSON has as a whole number."""
_DIGITS = re.compile(r"[0-9]{1,16}").fullmatch


def _version(value: object) -> object:
    """CloudEvents integers are JSON numbers in structured mode, and digits in Kafka headers."""
    if isinstance(value, str) and _DIGITS(value):
        return int(value)
    if type(value) is not int:
        raise PydanticCustomError("version_form", "this is not the version of a stream")
    return value


_Word = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARACTERS_MAX)]


class Attributes(TypedDict):
    """The attributes of a command's CloudEvent. Ids are UUIDs; `partitionkey` is the customer the command is about."""

    specversion: Literal["1.0"]
    id: AnyId
    source: _Word
    type: _Word
    subject: AnyId
    partitionkey: AnyId
    time: NotRequired[Moment]
    correlationid: NotRequired[AnyId]
    causationid: NotRequired[AnyId]
    actor: NotRequired[_Word]
    expectedversion: NotRequired[Annotated[int, Field(ge=0, le=VERSION_MAX), BeforeValidator(_version)]]
    data: dict[str, Any]


_ADAPTER = TypeAdapter(Attributes)
_VALIDATE = _ADAPTER.validator.validate_python
_VALIDATE_JSON = native_validator(_ADAPTER.core_schema)
_KNOWN = frozenset((*Attributes.__annotations__, PARENT, STATE, "datacontenttype", "dataschema"))
# Where one that may be absent is misspelt, nobody else would notice.
_OPTIONAL = ("time", "actor", "correlationid", "causationid", "expectedversion")
_BUSINESS_DATE = "effectiveon"
_NEAR, _LONG_NEAR, _LONG = 1, 2, 8
_NAMES_MAX = 2_000
_FIXES = {
    "literal_error": "set it to {expected}",
    "dict_type": "put the command's fields into it, as a JSON object",
    "version_form": "give the version of the subject that you saw, a whole number; 0 where it is new",
    "missing": "send a CloudEvents 1.0 document with specversion, id, source, type, subject, partitionkey and data",
}


def attributes_of(document: Mapping[str, Any]) -> Attributes:
    """The attributes of a structured-mode CloudEvent; raises Undecodable.

    An unknown extension attribute is allowed, as CloudEvents requires, unless it is nearly the name of a known one.
    """
    try:
        attributes: Attributes = _VALIDATE_JSON(document)
    except ValidationError:
        attributes = _with_reasons(document)
    if not _KNOWN.issuperset(document):
        for name in document.keys() - _KNOWN:
            meant = meant_by(str(name))
            if meant is not None:
                raise Undecodable(reason=f"{name}: there is no such attribute", at=name, fix=f"did you mean {meant}?")
    return attributes


def _with_reasons(document: Mapping[str, Any]) -> Attributes:
    """Validates the attributes with the slower validator, whose errors name the attribute."""
    try:
        attributes: Attributes = _VALIDATE(document)
    except ValidationError as error:
        first: dict[str, Any] = dict(error.errors(include_url=False)[0])
        name = str(first["loc"][0]) if first["loc"] else ""
        special = _FIXES.get(first["type"])
        fix = special.format(**first.get("ctx", {})) if special else fix_of(first, "see docs/upstream.md")[1]
        raise Undecodable(reason=f"{name}: {first['msg']}", at=name, fix=fix) from None
    return attributes


@lru_cache(maxsize=_NAMES_MAX)
def meant_by(name: str) -> str | None:
    """The known attribute that this name nearly is: other case, - or _, one letter different, in long names two.

    The business date is a field of the data and no attribute: given as an attribute it would be ignored, so it counts here.
    """
    plain = name.lower().replace("_", "").replace("-", "")
    for known in _OPTIONAL:
        if _distance(plain, known) <= (_LONG_NEAR if len(known) > _LONG else _NEAR):
            return known
    if _distance(plain, _BUSINESS_DATE) <= _LONG_NEAR:
        return "the field effective_on of data"
    return next((known for known in _KNOWN if plain == known), None)


def _distance(one: str, other: str) -> int:
    """The optimal string alignment distance: letters changed, added, removed or swapped with the next."""
    if abs(len(one) - len(other)) > _LONG_NEAR:
        return _LONG_NEAR + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
