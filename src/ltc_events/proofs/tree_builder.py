"""Builds a growing Merkle tree and its tiles."""

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

from ltc_events.proofs.compact_range import CompactRange
from ltc_events.proofs.errors import Malformed
from ltc_events.proofs.hashing import HASH_BYTES, fold
from ltc_events.proofs.tiles import HEIGHT, WIDTH, Tile


class Growth(NamedTuple):
    """Hashes added to a tile: its level and number, the place of the first hash, and the concatenated hashes."""

    level: int
    tile: int
    first: int
    hashes: bytes


class TreeBuilder:
    """Appends leaves, computes the root, and collects what is added to tiles."""

    def __init__(self, size: int = 0, read: Callable[[Tile], bytes] | None = None) -> None:
        """At `size` leaves, with the partial tiles that `read` gives. Raises Malformed where one is too short."""
        self.size = size
        self._levels: list[CompactRange] = []
        self._grown: dict[tuple[int, int], tuple[int, list[bytes]]] = {}
        level, nodes = 0, size
        while nodes:
            partial = CompactRange()
            if width := nodes % WIDTH:
                tile = Tile(level, nodes >> HEIGHT, width)
                hashes = read(tile) if read else b""
                if len(hashes) != width * HASH_BYTES:
                    raise Malformed(what="tile", problem=f"{tile.path()} has {len(hashes)} bytes, not {width * HASH_BYTES}")
                for at in range(0, len(hashes), HASH_BYTES):
                    partial.append(hashes[at : at + HASH_BYTES])
            self._levels.append(partial)
            level, nodes = level + 1, nodes >> HEIGHT

    def append(self, leaf: bytes) -> None:
        """Append a leaf, given by its hash."""
        node, place, level = leaf, self.size, 0
        self.size += 1
        while True:
            if level == len(self._levels):
                self._levels.append(CompactRange())
            partial = self._levels[level]
            key = level, place >> HEIGHT
            if key not in self._grown:
                self._grown[key] = partial.size, []
            self._grown[key][1].append(node)
            partial.append(node)
            if partial.size < WIDTH:
                return
            node, place = partial.root(), place >> HEIGHT
            self._levels[level] = CompactRange()
            level += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return fold(chain.from_iterable(partial.hashes for partial in reversed(self._levels)))

    def growth(self) -> list[Growth]:
        """What was added to tiles since the last call."""
        grown = [Growth(*key, first, b"".join(hashes)) for key, (first, hashes) in self._grown.items()]
        self._grown = {}
        return grown
