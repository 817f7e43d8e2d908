"""Reading messages whose headers have names that are not UTF-8.

Brokers take them, and any producer can send them; but Kafka's client takes such a message for a corrupt one, and its
partition then stands still for good. Here the bytes that are no text are written as `\\xff` in the name instead.
"""

from typing import Any

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import decode_varint


class LenientRecordBatch(DefaultRecordBatch):  # type: ignore[misc]
    """A batch as the client reads it, with one more try at messages of which it cannot read the headers' names."""

    _buffer: Any
    _pos: int

    def _read_msg(self, *arguments: Any, **named: Any) -> Any:
        try:
            return super()._read_msg(*arguments, **named)
        except UnicodeDecodeError:
            self._escape_names()
            return super()._read_msg(*arguments, **named)

    def _escape_names(self) -> None:
        """Write the present message anew into the buffer, with names that are text."""
        buffer = bytes(self._buffer)
        length, start = decode_varint(buffer, self._pos)
        end = start + length
        _, place = decode_varint(buffer, start)  # attributes
        for _ in range(2):  # time and offset
            _, place = decode_varint(buffer, place)
        for _ in range(2):  # key and value
            size, place = decode_varint(buffer, place)
            place += max(size, 0)
        count, place = decode_varint(buffer, place)
        body = bytearray(buffer[start:place])
        for _ in range(count):
            size, place = decode_varint(buffer, place)
            name = buffer[place : place + size].decode(errors="backslashreplace").encode()
            place += size
            body += _varint(len(name)) + name
            first = place
            size, place = decode_varint(buffer, place)
            place += max(size, 0)
            body += buffer[first:place]
        self._buffer = buffer[: self._pos] + _varint(len(body)) + bytes(body) + buffer[end:]


def _varint(number: int) -> bytes:
    """A length as Kafka writes it: zig-zag, seven bits a byte, lowest first."""
    value, written = number << 1, bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def install() -> None:
    """Let the client read this way."""
    memory_records.DefaultRecordBatch = LenientRecordBatch
