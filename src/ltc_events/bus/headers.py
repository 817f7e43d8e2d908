"""Message headers in Kafka's wire format: written by filling templates that many messages share, and parsed on demand."""

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
    """A number ≥ 0 as a Kafka varint: zig-zag, seven bits a byte, lowest first."""
    value, written = number << 1, bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _read_varint(block: bytes, at: int) -> tuple[int, int]:
    """The varint at a place, and the place after it. Raises IndexError, or ValueError for one of over 64 bits."""
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
    """A size as its varint prefix."""
    return _SIZES[number] if number < _SIZES_MAX else _varint(number)


@lru_cache(maxsize=_NAMES_MAX, typed=True)
def packed_name(name: str) -> bytes:
    """A header name in wire format."""
    encoded = name.encode()
    return sized(len(encoded)) + encoded


class Wire:
    """The headers of a message as bytes: `count` of them in `data`, parsed on demand.

    They count as empty in a boolean test: the client would otherwise parse all of them to add up their lengths.
    """

    __slots__ = ("count", "data")

    def __init__(self, data: bytes, count: int) -> None:
        self.data = data
        self.count = count

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[tuple[str, bytes | None]]:
        """Names and contents, in order. Headers that cannot be parsed have the name UNREADABLE."""
        return iter(_read(self.data, self.count))

    def first(self, name: bytes) -> bytes | None:
        """The content of the first header with this name (as `packed_name` has it), without reading those before it.

        None: there is none, or it is longer than 63 bytes. Use it only for headers before any with content from outside, which
        might look like a header.
        """
        at = self.data.find(name) + len(name)
        if at < len(name) or at >= len(self.data):
            return None
        size = self.data[at]
        return None if size & 0x81 else self.data[at + 1 : at + 1 + (size >> 1)]

    def followed_by(self, headers: Headers) -> "Wire":
        """These headers followed by others."""
        more = wired(headers)
        return Wire(self.data + more.data, self.count + more.count)


class Shape:
    """A template of headers, in this order: names of variable ones, then pairs that are always the same."""

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
        """The headers with a content for each variable name."""
        parts: list[bytes] = []
        sizes = _SIZES
        for before, content in zip(self._before, contents, strict=True):
            size = len(content)
            parts += (before, sizes[size] if size < _SIZES_MAX else _varint(size), content)
        parts.append(self._end)
        return Wire(b"".join(parts), self._count)


def wired(headers: Iterable[tuple[str, bytes]]) -> Wire:
    """Any headers in wire format."""
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
