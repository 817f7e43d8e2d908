"""Fast dumpers for query parameters that psycopg packs slowly."""

import struct
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_UUID_OID = 2950
_UUID_ARRAY_OID = 2951
_HEAD = struct.Struct(">iiiii").pack
_LENGTH = b"\0\0\0\x10"


class Uuids:
    """UUIDs as one `uuid[]` parameter in binary format; dumped one by one they would cost more than the query."""

    __slots__ = ("data",)

    def __init__(self, ids: Iterable[UUID]) -> None:
        self.data = pack_uuids(id.int for id in ids)


def pack_uuids(numbers: Iterable[int]) -> bytes:
    """UUIDs, given by their `int`, as a `uuid[]` in PostgreSQL's binary format."""
    packed = [_LENGTH + number.to_bytes(16, "big") for number in numbers]
    return _HEAD(1, 0, _UUID_OID, len(packed), 1) + b"".join(packed)


class _UuidsDumper(Dumper):
    format = Format.BINARY
    oid = _UUID_ARRAY_OID

    def dump(self, obj: Uuids) -> bytes:
        return obj.data


def register(connection: psycopg.Connection[Any]) -> None:
    """Register the dumper on a connection."""
    connection.adapters.register_dumper(Uuids, _UuidsDumper)
