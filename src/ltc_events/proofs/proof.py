"""Inclusion (RFC 9162, 2.1.3) and consistency (2.1.4): proofs are made from full nodes, and checked from the root alone.

Indices count from 0. Checking needs no store. A proof whose length does not match the sizes is refused before anything is hashed.
Parsers check that a hash has 32 bytes.
"""

from collections.abc import Sequence

from ltc_events.proofs.errors import Malformed, RootDiffers
from ltc_events.proofs.hashing import EMPTY_ROOT, HASH_BYTES, ReadNode, node_hash, split, subtree

Proof = Sequence[bytes]
SIZE_MAX = (1 << 63) - 1


def make_inclusion(index: int, size: int, read: ReadNode) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root over `size` leaves, lowest first."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} among {size}")
    proof: list[bytes] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + split(end - first)
        if index < middle:
            proof.append(subtree(read, middle, end))
            end = middle
        else:
            proof.append(subtree(read, first, middle))
            first = middle
    return proof[::-1]


def make_consistency(old: int, size: int, read: ReadNode) -> list[bytes]:
    """The hashes that prove that the tree of `old` leaves is a prefix of that of `size` leaves."""
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {old} leaves is not the beginning of one of {size}")
    if old in (0, size):
        return []
    proof: list[bytes] = []
    first, end, whole = 0, size, True
    while old != end:
        middle = first + split(end - first)
        if old <= middle:
            proof.append(subtree(read, middle, end))
            end = middle
        else:
            proof.append(subtree(read, first, middle))
            first, whole = middle, False
    if not whole:
        proof.append(subtree(read, first, end))
    return proof[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, root: bytes, proof: Proof) -> None:
    """Check that the leaf with this hash is at `index` of the `size` leaves under `root`. Raises Malformed, RootDiffers."""
    if not 0 <= index < size <= SIZE_MAX:
        raise Malformed(what="inclusion proof", problem=f"there is no leaf {index} among {size}")
    if len(leaf) != HASH_BYTES:
        raise Malformed(what="inclusion proof", problem=f"the hash of its leaf has {len(leaf)} bytes, not {HASH_BYTES}")
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    if len(proof) != inner + border:
        raise Malformed(what="inclusion proof", problem=f"it has {len(proof)} hashes where {inner + border} are asked for")
    node = leaf
    for level, sibling in enumerate(proof):
        is_left = level < inner and not index >> level & 1
        node = node_hash(node, sibling) if is_left else node_hash(sibling, node)
    if node != root:
        raise RootDiffers(what="inclusion proof", size=size)


def check_consistency(old: int, size: int, old_root: bytes, root: bytes, proof: Proof) -> None:
    """Check that the `old` leaves (at least one, if the trees differ) are the first of the `size` leaves under `root`.

    Raises Malformed, RootDiffers.
    """
    what = "consistency proof"
    if not 0 <= old <= size <= SIZE_MAX:
        raise Malformed(what=what, problem=f"{old} leaves are not the beginning of {size}")
    if old == size:
        if proof:
            raise Malformed(what=what, problem=f"it has {len(proof)} hashes where none is asked for")
        if old_root != root or (size == 0 and root != EMPTY_ROOT):
            raise RootDiffers(what=what, size=old)
        return
    if old == 0:
        raise Malformed(what=what, problem="nothing is the beginning of everything, of which there is no proof")
    inner = ((old - 1) ^ (size - 1)).bit_length()
    border = ((old - 1) >> inner).bit_count()
    trailing = (old & -old).bit_length() - 1
    # Where the old tree is a full node of the new one, its root is where the proof begins.
    begins_at_root = old == 1 << trailing
    wanted = inner - trailing + border + (0 if begins_at_root else 1)
    if len(proof) != wanted:
        raise Malformed(what=what, problem=f"it has {len(proof)} hashes where {wanted} are asked for")
    seed, rest = (old_root, list(proof)) if begins_at_root else (proof[0], list(proof[1:]))
    before = after = seed
    for step, sibling in enumerate(rest):
        level = trailing + step
        if level >= inner or (old - 1) >> level & 1:
            before = node_hash(sibling, before)
            after = node_hash(sibling, after)
        else:
            after = node_hash(after, sibling)
    if before != old_root:
        raise RootDiffers(what=what, size=old)
    if after != root:
        raise RootDiffers(what=what, size=size)
