"""PostgreSQL arrays in binary format: a batch of rows becomes one parameter per column."""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg.adapt import Dumper, PyFormat, Transformer
from psycopg.pq import Format
from pydantic import BaseModel

from ltc_events.projections.declaration.errors import OperationInvalid
from ltc_events.projections.declaration.projection import SqlType

_NULL = struct.pack(">i", -1)
_HEAD = struct.Struct(">iiiii").pack
_length = struct.Struct(">i").pack
_int4 = struct.Struct(">ii").pack
_int8 = struct.Struct(">iq").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_decimal_dumper = Transformer().get_dumper(Decimal(), PyFormat.BINARY)


def json_bytes(value: Any) -> bytes:
    """A JSON value; amounts become strings, as on the wire."""
    return orjson.dumps(value, default=_json_value)


def _json_value(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, BaseModel):
        return orjson.Fragment(value.__pydantic_serializer__.to_json(value))
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _sized(raw: bytes | bytearray | memoryview) -> bytes:
    return _length(len(raw)) + raw


def _uuid(value: UUID) -> bytes:
    return b"\0\0\0\x10" + value.bytes


def _text(value: str) -> bytes:
    raw = value.encode()
    return _length(len(raw)) + raw


def _numeric(value: Decimal | int) -> bytes:
    return _sized(_decimal_dumper.dump(Decimal(value) if isinstance(value, int) else value) or b"")


@lru_cache(maxsize=4096)
def _date(value: date) -> bytes:
    return _int4(4, value.toordinal() - _EPOCH_DAY)


def _timestamptz(value: datetime) -> bytes:
    return _int8(8, (value - _EPOCH) // _MICROSECOND)


def _bool(value: bool) -> bytes:
    return b"\0\0\0\x01\x01" if value else b"\0\0\0\x01\0"


class _Type(NamedTuple):
    oid: int
    array_oid: int
    pack: Callable[[Any], bytes]


_TYPES: dict[SqlType, _Type] = {
    "uuid": _Type(2950, 2951, _uuid),
    "int4": _Type(23, 1007, lambda value: _int4(4, value)),
    "int8": _Type(20, 1016, lambda value: _int8(8, value)),
    "text": _Type(25, 1009, _text),
    "numeric": _Type(1700, 1231, _numeric),
    "date": _Type(1082, 1182, _date),
    "timestamptz": _Type(1184, 1185, _timestamptz),
    "bool": _Type(16, 1000, _bool),
    "jsonb": _Type(3802, 3807, lambda value: _sized(b"\x01" + json_bytes(value))),
}


class Array:
    """A column of values, packed; a parameter of type `<sql type>[]`."""

    __slots__ = ("data", "oid")

    def __init__(self, oid: int, data: bytes) -> None:
        self.oid = oid
        self.data = data


def pack_array(table: str, name: str, sql_type: SqlType, values: Sequence[Any], *, nullable: bool = True) -> Array:
    """The values of column `name` as an array; raises OperationInvalid naming the value that is not of its type."""
    declared = _TYPES[sql_type]
    pack = declared.pack
    try:
        if nullable:
            body = b"".join([_NULL if value is None else pack(value) for value in values])
        else:
            body = b"".join(map(pack, values))
    except (AttributeError, TypeError, ValueError, OverflowError, struct.error) as error:
        culprit = next(value for value in values if not _packs(pack, value, nullable=nullable))
        problem = f"column {name} ({sql_type}) cannot hold {culprit!r}"
        raise OperationInvalid(table=table, problem=problem) from error
    return Array(declared.array_oid, _HEAD(1, 1, declared.oid, len(values), 1) + body)


def array_oid(sql_type: SqlType) -> int:
    """What PostgreSQL calls the type of an array of these."""
    return _TYPES[sql_type].array_oid


def _packs(pack: Callable[[Any], bytes], value: object, *, nullable: bool) -> bool:
    if value is None:
        return nullable
    try:
        pack(value)
    except (AttributeError, TypeError, ValueError, OverflowError, struct.error):
        return False
    return True


class TextArray(Array):
    """A column of values as an array literal."""


class ArrayDumper(Dumper):
    """Hands packed arrays to psycopg as they are."""

    format = Format.BINARY

    def get_key(self, obj: Any, format: PyFormat) -> Any:
        return (self.cls, obj.oid)

    def upgrade(self, obj: Any, format: PyFormat) -> Dumper:
        dumper = type(self)(self.cls)
        dumper.oid = obj.oid
        return dumper

    def dump(self, obj: Any) -> bytes:
        return bytes(obj.data)


class TextArrayDumper(ArrayDumper):
    """The same for literals."""

    format = Format.TEXT
