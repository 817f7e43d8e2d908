"""Record batches (format 2) in Kafka's wire format, packed a page at a time; the client packs field by field.

Writing covers what we send: uncompressed and not transactional. Reading subclasses the client's own batch, with its checks and
decompression.
"""

import struct
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kafka.errors import CorruptRecordError
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import calc_crc32c, decode_varint

from ltc_events.bus.headers import Headers, Wire, sized, wired

Outgoing = tuple[bytes | None, bytes | None, Headers | Wire]
"""Key, value and headers."""

SEQUENCES = 2**31
"""Sequence numbers of a producer begin again after so many."""
_NO_LEADER_EPOCH, _FORMAT, _NO_ATTRIBUTES, _CREATE_TIME, _LOG_APPEND_TIME = -1, 2, 0, 0, 1
# Base offset, length, leader epoch, format, checksum; the checksum is of all that follows it.
_FRONT = struct.Struct(">qiibI")
_LENGTH_BEFORE = struct.calcsize(">qi")
# Attributes, last offset delta, first and last time, producer's id and epoch, base sequence, count.
_REST = struct.Struct(">hiqqqhii")


class Batch(NamedTuple):
    """Consecutive messages for one partition in wire format."""

    partition: int
    messages: int
    data: bytes


class Producer(NamedTuple):
    """The producer's id and epoch, by which the broker detects repetitions."""

    id: int
    epoch: int


def packed(message: Outgoing, delta: int) -> bytes:
    """A message as the record number `delta` of its batch."""
    key, value, headers = message
    block = headers if isinstance(headers, Wire) else wired(headers)
    body = b"".join((b"\0\0", sized(delta), *_field(key), *_field(value), sized(block.count), block.data))
    return sized(len(body)) + body


def sealed(partition: int, records: Sequence[bytes], producer: Producer, sequence: int) -> Batch:
    """A batch of packed records. `sequence` counts the producer's messages on this partition."""
    now, count = int(time.time() * 1000), len(records)
    rest = _REST.pack(_NO_ATTRIBUTES, count - 1, now, now, producer.id, producer.epoch, sequence, count)
    body = b"".join((rest, *records))
    length = _FRONT.size - _LENGTH_BEFORE + len(body)
    return Batch(partition, count, _FRONT.pack(0, length, _NO_LEADER_EPOCH, _FORMAT, calc_crc32c(body)) + body)


def _field(content: bytes | None) -> tuple[bytes, ...]:
    return (b"\x01",) if content is None else (sized(len(content)), content)


class Record(NamedTuple):
    """A record with the interface that the client expects."""

    size_in_bytes: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Wire
    checksum: None = None

    def validate_crc(self) -> bool:
        """Always true: the checksum is that of the batch."""
        return True


class LeanRecordBatch(DefaultRecordBatch):  # type: ignore[misc]
    """The client's batch, parsed in a third of the time, and tolerant of header names that are not UTF-8.

    Brokers accept such names from any producer, but the client takes the message for a corrupt one and never gets past it. Here
    bytes that are no UTF-8 appear as `\\xff` in the name instead.
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
        read, new, headers_of, last_time = decode_varint, tuple.__new__, Wire, self.max_timestamp
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


def install() -> None:
    """Make the client use this class."""
    memory_records.DefaultRecordBatch = LeanRecordBatch
