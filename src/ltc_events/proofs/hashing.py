"""RFC 6962, 2.1: the hashes of a Merkle tree of any size.

Nodes are named (level, index): level 0 are the leaves, and node (l, i) covers the `1 << l` leaves from `i << l` on. Only full
nodes have names; the root of any tree is folded from a few of them.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Node = tuple[int, int]
ReadNode = Callable[[int, int], bytes]
"""Gives the hash of the full node (level, index)."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf from its bytes."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two."""
    return sha256(b"\1" + left + right).digest()


def full_nodes(first: int, end: int) -> Iterator[Node]:
    """The fewest full nodes over the leaves from `first` up to but not including `end`, from left to right."""
    while first < end:
        level = (end - first).bit_length() - 1
        if first:
            level = min(level, (first & -first).bit_length() - 1)
        yield level, first >> level
        first += 1 << level


def fold(hashes: Iterable[bytes]) -> bytes:
    """The root over subtrees of falling width, from left to right, as `full_nodes(0, size)` gives them."""
    parts = list(hashes)
    return reduce(lambda right, left: node_hash(left, right), reversed(parts[:-1]), parts[-1]) if parts else EMPTY_ROOT


def subtree(read: ReadNode, first: int, end: int) -> bytes:
    """The root over the leaves from `first` up to `end`, where `first` is 0 or begins a subtree of the tree they are in."""
    return fold(read(level, index) for level, index in full_nodes(first, end))


def split(size: int) -> int:
    """The largest power of two smaller than `size` (at least 2), which is the number of leaves in the left subtree."""
    return 1 << ((size - 1).bit_length() - 1)
