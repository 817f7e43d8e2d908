"""Parameters of queries that psycopg would take its time to pack."""

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
    """UUIDs as one `uuid[]` parameter; one by one they would cost more than finding their rows does."""

    __slots__ = ("data",)

    def __init__(self, ids: Iterable[UUID]) -> None:
        packed = [_LENGTH + id.int.to_bytes(16, "big") for id in ids]
        self.data = _HEAD(1, 0, _UUID_OID, len(packed), 1) + b"".join(packed)


class _UuidsDumper(Dumper):
    format = Format.BINARY
    oid = _UUID_ARRAY_OID

    def dump(self, obj: Uuids) -> bytes:
        return obj.data


def register(connection: psycopg.Connection[Any]) -> None:
    """Let a connection take these as parameters."""
    connection.adapters.register_dumper(Uuids, _UuidsDumper)
