"""A compact range: the right edge of a growing Merkle tree, which suffices to append leaves and compute the root."""

from collections.abc import Iterable, Iterator, Sequence

from ltc_events.proofs.hashing import Node, fold, full_nodes, node_hash


class CompactRange:
    """The full nodes over the first `size` leaves, widest first: at most one for each bit of the size."""

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """With the hashes of `full_nodes(0, size)`. Raises ValueError where they are more or fewer."""
        self.size = size
        self._hashes = list(hashes)
        if len(self._hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} nodes at its edge, not {len(self._hashes)}")

    @property
    def hashes(self) -> Sequence[bytes]:
        """Of the full nodes."""
        return self._hashes

    def append(self, leaf: bytes) -> None:
        """Append a leaf, given by its hash."""
        node, size, hashes = leaf, self.size, self._hashes
        while size & 1:
            node = node_hash(hashes.pop(), node)
            size >>= 1
        hashes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return fold(self._hashes)

    def nodes(self) -> Iterator[tuple[Node, bytes]]:
        """The full nodes with their hashes."""
        return zip(full_nodes(0, self.size), self._hashes, strict=True)
