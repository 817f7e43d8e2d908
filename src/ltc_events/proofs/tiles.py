"""Tiles (C2SP tlog-tiles): a log as files of 256 hashes each, which never change once they are full.

A tile of level L holds nodes of level 8·L. The one at the right edge is partial; its width is part of its name.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ltc_events.proofs.errors import Malformed
from ltc_events.proofs.hashing import HASH_BYTES, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
ENTRY_BYTES_MAX = 65_535


class Tile(NamedTuple):
    """A tile: its level, its number on that level, and how many hashes (or entries) it holds."""

    level: int
    number: int
    width: int

    def path(self, *, entries: bool = False) -> str:
        """Its path below the log's folder."""
        name = f"tile/{'entries' if entries else self.level}/{numbered(self.number)}"
        return name if self.width == WIDTH else f"{name}.p/{self.width}"


def numbered(number: int) -> str:
    """A tile's number as a path: 1234067 is x001/x234/067."""
    parts = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03}")
    return "/".join(reversed(parts))


def tiles_of(size: int) -> Iterator[Tile]:
    """All hash tiles of a log of `size` leaves, level by level."""
    level, nodes = 0, size
    while nodes:
        yield from entry_tiles(nodes, level)
        level, nodes = level + 1, nodes >> HEIGHT


def entry_tiles(size: int, level: int = 0) -> Iterator[Tile]:
    """The tiles over so many, of one level."""
    for number in range(size >> HEIGHT):
        yield Tile(level, number, WIDTH)
    if size % WIDTH:
        yield Tile(level, size >> HEIGHT, size % WIDTH)


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """The entries of a tile: each after its length in two bytes."""
    for entry in entries:
        if len(entry) > ENTRY_BYTES_MAX:
            raise Malformed(what="entry", problem=f"it has {len(entry)} bytes, and {ENTRY_BYTES_MAX} fit")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


class TileReader:
    """Reads full nodes (`ReadNode`) from tiles, with a cache."""

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        """`read` gives the hashes of a tile of the log of `size` leaves, one behind the other."""
        self._size = size
        self._read = read
        self._tiles: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The hash of a full node. Raises Malformed where a tile has the wrong length."""
        tile_level, above = divmod(level, HEIGHT)
        first = index << above
        hashes = self._hashes(tile_level, first >> HEIGHT)
        at = first % WIDTH
        nodes = [hashes[n * HASH_BYTES : (n + 1) * HASH_BYTES] for n in range(at, at + (1 << above))]
        while len(nodes) > 1:
            nodes = [node_hash(nodes[n], nodes[n + 1]) for n in range(0, len(nodes), 2)]
        return nodes[0]

    def _hashes(self, level: int, number: int) -> bytes:
        if (level, number) not in self._tiles:
            width = min((self._size >> (HEIGHT * level)) - (number << HEIGHT), WIDTH)
            tile = Tile(level, number, width)
            hashes = self._read(tile)
            if len(hashes) != width * HASH_BYTES:
                raise Malformed(what="tile", problem=f"{tile.path()} has {len(hashes)} bytes, not {width * HASH_BYTES}")
            self._tiles[level, number] = hashes
        return self._tiles[level, number]
