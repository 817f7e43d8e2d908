"""A Merkle tree of hashes that are all at hand, for trees that are small or read once."""

from collections.abc import Iterable

from ltc_events.proofs.hashing import fold, full_nodes, node_hash


class MemoryTree:
    """The full nodes over leaves, given by their hashes; a `ReadNode`."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            self._levels.append([node_hash(below[n], below[n + 1]) for n in range(0, len(below) - 1, 2)])

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0])

    def __call__(self, level: int, index: int) -> bytes:
        """The hash of a full node."""
        return self._levels[level][index]

    def root(self) -> bytes:
        """The root over all leaves."""
        return fold(self(level, index) for level, index in full_nodes(0, self.size))
