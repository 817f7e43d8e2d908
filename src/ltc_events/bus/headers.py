"""The headers of messages as they are on the wire: filled into shapes that many messages share, and read when asked for."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

Headers = Sequence[tuple[str, bytes]]

UNREADABLE = "unreadable"
_NAMES_MAX = 2_000
_NAMES: dict[bytes, str] = {}
"""Names of headers that were met: a producer uses the same few ever again."""
_SIZES_MAX = 4096
_SHIFT_MAX = 63


def _varint(number: int) -> bytes:
    """A number ≥ 0 as Kafka writes it: zig-zag, seven bits a byte, lowest first."""
    value, written = number << 1, bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _read_varint(block: bytes, at: int) -> tuple[int, int]:
    """The number that stands there, and where the next thing begins. Raises IndexError, or ValueError for one of over 64 bits."""
    written = shift = 0
    while True:
        byte = block[at]
        at += 1
        written |= (byte & 0x7F) << shift
        if byte < 0x80:
            return written >> 1 ^ -(written & 1), at
        shift += 7
        if shift > _SHIFT_MAX:
            raise ValueError("a number of over 64 bits")


_SIZES = tuple(map(_varint, range(_SIZES_MAX)))


def sized(number: int) -> bytes:
    """A number ≥ 0, as it stands before what has that size."""
    return _SIZES[number] if number < _SIZES_MAX else _varint(number)


@lru_cache(maxsize=_NAMES_MAX, typed=True)
def packed_name(name: str) -> bytes:
    """The name of a header as it stands in a message."""
    encoded = name.encode()
    return sized(len(encoded)) + encoded


class Wire:
    """The headers of a message as bytes: `count` of them in `data`, read when they are asked for.

    They are as none to those who only ask whether there are any: the client would read them all to add up their lengths.
    """

    __slots__ = ("count", "data")

    def __init__(self, data: bytes, count: int) -> None:
        self.data = data
        self.count = count

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[tuple[str, bytes | None]]:
        """Names and contents, in the order in which they came. What cannot be read at all has the name UNREADABLE."""
        return iter(_read(self.data, self.count))

    def first(self, name: bytes) -> bytes | None:
        """The content of the first header with this name (as `packed_name` has it), without reading those before it.

        None: there is none, or it is longer than 63 bytes. Only for headers that come before any whose content is not ours
        alone: what they hold might look like a header.
        """
        at = self.data.find(name) + len(name)
        if at < len(name) or at >= len(self.data):
            return None
        size = self.data[at]
        return None if size & 0x81 else self.data[at + 1 : at + 1 + (size >> 1)]

    def followed_by(self, headers: Headers) -> "Wire":
        """These, and then those."""
        more = wired(headers)
        return Wire(self.data + more.data, self.count + more.count)


class Shape:
    """Headers that many messages have, in this order: the names of those that differ, and pairs that are always the same."""

    __slots__ = ("_before", "_count", "_end")

    def __init__(self, *headers: str | tuple[str, bytes]) -> None:
        before, gathered = [], b""
        for header in headers:
            if isinstance(header, str):
                before.append(gathered + packed_name(header))
                gathered = b""
            else:
                gathered += wired([header]).data
        self._before, self._end, self._count = tuple(before), gathered, len(headers)

    def filled(self, *contents: bytes) -> Wire:
        """With a content for each name."""
        parts: list[bytes] = []
        sizes = _SIZES
        for before, content in zip(self._before, contents, strict=True):
            size = len(content)
            parts += (before, sizes[size] if size < _SIZES_MAX else _varint(size), content)
        parts.append(self._end)
        return Wire(b"".join(parts), self._count)


def wired(headers: Iterable[tuple[str, bytes]]) -> Wire:
    """Headers of any message as they are on the wire."""
    parts: list[bytes] = []
    for name, content in headers:
        parts += (packed_name(name), sized(len(content)), content)
    return Wire(b"".join(parts), len(parts) // 3)


def _read(block: bytes, count: int) -> list[tuple[str, bytes | None]]:
    found: list[tuple[str, bytes | None]] = []
    keep, names, last, end = found.append, _NAMES, len(block), 0
    try:
        for _ in range(count):
            # Almost every length is below 64: one byte, twice the number.
            size = block[end]
            if size & 0x81:
                size, place = _read_varint(block, end)
                end = place + max(size, 0)
            else:
                place = end + 1
                end = place + (size >> 1)
            name = block[place:end]
            size = block[end]
            if size & 0x81:
                size, place = _read_varint(block, end)
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
