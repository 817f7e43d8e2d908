"""Merkle trees as RFC 6962 defines them, by recursion over the entries: what our trees are held against."""

from collections.abc import Sequence
from hashlib import sha256


def mth(entries: Sequence[bytes]) -> bytes:
    """MTH(D[n])."""
    if not entries:
        return sha256().digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def full_node(entries: Sequence[bytes], level: int, index: int) -> bytes:
    """The node over the entries from `index << level` on, all of which there have to be."""
    part = entries[index << level : (index + 1) << level]
    assert len(part) == 1 << level, f"node ({level}, {index}) is not full"
    return mth(part)
