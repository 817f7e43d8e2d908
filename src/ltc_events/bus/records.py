"""Record batches (format 2) as Kafka has them on the wire, a whole page at a time: the client does it field by field.

Written: only what we send, uncompressed, not transactional. Read: by subclassing the client's own batch, which keeps its
checks and its decompression.
"""

import struct
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from kafka.errors import CorruptRecordError
from kafka.partitioner.default import murmur2
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import calc_crc32c, decode_varint

Headers = Sequence[tuple[str, bytes]]
Outgoing = tuple[bytes | None, bytes | None, Headers]
"""Key, value and headers."""

SEQUENCES = 2**31
"""Sequence numbers of a producer begin again after so many."""
_KEYS_MAX = 100_000
_NAMES_MAX = 2_000
_NO_LEADER_EPOCH, _FORMAT, _NO_ATTRIBUTES, _CREATE_TIME, _LOG_APPEND_TIME = -1, 2, 0, 0, 1
# Base offset, length, leader epoch, format, checksum; the checksum is of all that follows it.
_FRONT = struct.Struct(">qiibI")
_LENGTH_BEFORE = struct.calcsize(">qi")
# Attributes, last offset delta, first and last time, producer's id and epoch, base sequence, count.
_REST = struct.Struct(">hiqqqhii")


class Batch(NamedTuple):
    """Consecutive messages for one partition, as they go over the wire."""

    partition: int
    messages: int
    data: bytes


class Producer(NamedTuple):
    """Who sends, as the broker knows him: by this it tells repetitions."""

    id: int
    epoch: int


def partition_of(key: bytes, partitions: int) -> int:
    """Where every client puts a key that is not told otherwise."""
    return _hash(key) % partitions


@lru_cache(maxsize=_KEYS_MAX)
def _hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF


def packed(message: Outgoing, delta: int) -> bytes:
    """A message as the record number `delta` of its batch."""
    key, value, headers = message
    parts = [b"\0\0", _size(delta), *_field(key), *_field(value), _size(len(headers))]
    names, sizes = _name, _SIZES
    for name, content in headers:
        size = len(content)
        parts += (names(name), sizes[size] if size < _SIZES_MAX else _varint(size), content)
    body = b"".join(parts)
    return _size(len(body)) + body


def sealed(partition: int, records: Sequence[bytes], producer: Producer, sequence: int) -> Batch:
    """A batch of packed records. `sequence` counts the producer's messages on this partition."""
    now, count = int(time.time() * 1000), len(records)
    rest = _REST.pack(_NO_ATTRIBUTES, count - 1, now, now, producer.id, producer.epoch, sequence, count)
    body = b"".join((rest, *records))
    length = _FRONT.size - _LENGTH_BEFORE + len(body)
    return Batch(partition, count, _FRONT.pack(0, length, _NO_LEADER_EPOCH, _FORMAT, calc_crc32c(body)) + body)


@lru_cache(maxsize=_NAMES_MAX, typed=True)
def _name(name: str) -> bytes:
    encoded = name.encode()
    return _size(len(encoded)) + encoded


def _field(content: bytes | None) -> tuple[bytes, ...]:
    return (b"\x01",) if content is None else (_size(len(content)), content)


def _varint(number: int) -> bytes:
    """A number ≥ 0 as Kafka writes it: zig-zag, seven bits a byte, lowest first."""
    value, written = number << 1, bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


_NAMES: dict[bytes, str] = {}
"""Names of headers that were met: a producer uses the same few ever again."""
_SIZES_MAX = 4096
_SIZES = tuple(map(_varint, range(_SIZES_MAX)))


def _size(number: int) -> bytes:
    return _SIZES[number] if number < _SIZES_MAX else _varint(number)


def packed_name(name: str) -> bytes:
    """The name of a header as it stands in a message."""
    return _name(name)


class Arrived:
    """The headers of a message that came, read when they are asked for.

    They are as none to those who only ask whether there are any: the client would read them all to add up their lengths.
    """

    __slots__ = ("_block", "_count")

    def __init__(self, block: bytes, count: int) -> None:
        self._block = block
        self._count = count

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[tuple[str, bytes | None]]:
        """Names and contents, in the order in which they came. What cannot be read at all has the name UNREADABLE."""
        return iter(_headers(self._block, self._count))

    def first(self, name: bytes) -> bytes | None:
        """The content of the first header with this name (as `packed_name` has it), without reading those before it.

        None: there is none, or it is longer than 63 bytes. Only for headers that come before any whose content is not ours
        alone: what they hold might look like a header.
        """
        at = self._block.find(name) + len(name)
        if at < len(name) or at >= len(self._block):
            return None
        size = self._block[at]
        return None if size & 0x81 else self._block[at + 1 : at + 1 + (size >> 1)]


UNREADABLE = "unreadable"


class Record(NamedTuple):
    """A message as the client wants it of a batch."""

    size_in_bytes: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Arrived
    checksum: None = None

    def validate_crc(self) -> bool:
        """The batch has the checksum."""
        return True


class LeanRecordBatch(DefaultRecordBatch):  # type: ignore[misc]
    """A batch as the client reads it, in a third of the time, and with names of headers that are not UTF-8.

    Brokers take such names, and any producer can send them; but the client takes such a message for a corrupt one, and its
    partition then stands still for good. Here the bytes that are no text are written as `\\xff` in the name instead.
    """

    def __iter__(self) -> Iterator[Record]:
        """Every message; raises CorruptRecordError."""
        self._maybe_uncompress()
        try:
            yield from self._records(bytes(self._buffer), self._pos)
        except (IndexError, ValueError) as error:
            raise CorruptRecordError(f"a record ends before its fields do: {error!r}") from error

    def _records(self, buffer: bytes, place: int) -> Iterator[Record]:
        base_offset, first_time, time_type = self.base_offset, self.first_timestamp, self.timestamp_type
        read, new, headers_of, last_time = decode_varint, tuple.__new__, Arrived, self.max_timestamp
        for _ in range(self.records_count):
            length, start = read(buffer, place)
            passed, place = read(buffer, start + 1)  # behind the attributes, of which there are none
            delta, place = read(buffer, place)
            size, place = read(buffer, place)
            key = None
            if size >= 0:
                key, place = buffer[place : place + size], place + size
            size, place = read(buffer, place)
            value = None
            if size >= 0:
                value, place = buffer[place : place + size], place + size
            count, place = read(buffer, place)
            end = start + length
            if not place <= end <= len(buffer):
                raise CorruptRecordError(f"a record of {length} bytes has fields of {place - start}")
            headers, place = headers_of(buffer[place:end], count), end
            moment = last_time if time_type == _LOG_APPEND_TIME else first_time + passed
            yield new(Record, (length, base_offset + delta, moment, time_type, key, value, headers, None))
        if place != len(buffer):
            raise CorruptRecordError(f"{len(buffer) - place} bytes are left after the last record")


def _headers(block: bytes, count: int) -> list[tuple[str, bytes | None]]:
    found: list[tuple[str, bytes | None]] = []
    keep, names, last, end = found.append, _NAMES, len(block), 0
    try:
        for _ in range(count):
            # Almost every length is below 64: one byte, twice the number.
            size = block[end]
            if size & 0x81:
                size, place = decode_varint(block, end)
                end = place + max(size, 0)
            else:
                place = end + 1
                end = place + (size >> 1)
            name = block[place:end]
            size = block[end]
            if size & 0x81:
                size, place = decode_varint(block, end)
                end = place + max(size, 0)
            else:
                place = end + 1
                end = place + (size >> 1)
            keep((names.get(name) or _text(name), block[place:end] if size >= 0 else None))
    except (IndexError, ValueError):
        end = -1
    return found if end == last else [*found, (UNREADABLE, block)]


def _text(name: bytes) -> str:
    text = name.decode(errors="backslashreplace")
    if len(_NAMES) < _NAMES_MAX:
        _NAMES[name] = text
    return text


def install() -> None:
    """Let the client read this way."""
    memory_records.DefaultRecordBatch = LeanRecordBatch
