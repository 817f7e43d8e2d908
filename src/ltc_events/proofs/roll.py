"""The roll: at a checkpoint of the events, every stream with its last version, so that what was left out shows.

The streams stand in 4,096 RFC 6962 trees (shards), by the first 12 bits of SHA-256 over their owner: the customer's id as text,
and for a stream of the company itself the stream's own. In a shard they are sorted by owner and stream, so that the streams of a
customer are one contiguous range. The leaves of the top tree are the roots of the shards. Another log has a leaf for each roll.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import orjson

from ltc_events.proofs import base64_text
from ltc_events.proofs.errors import Malformed
from ltc_events.proofs.hashing import HASH_BYTES, leaf_hash
from ltc_events.proofs.leaf import canonical
from ltc_events.proofs.memory_tree import MemoryTree

SHARDS = 4096
_MEMBERS = {"customers", "events", "events_root", "roll", "shards", "size", "streams"}


class StreamHead(NamedTuple):
    """The last event of a stream: its version, and the hash of its leaf in the log of events."""

    customer: UUID | None
    stream: UUID
    kind: str
    version: int
    head: bytes

    @property
    def owner(self) -> UUID:
        """By whom the stream is sorted: the customer, or, where there is none, the stream itself."""
        return self.customer or self.stream

    def leaf(self) -> bytes:
        """The leaf of the stream in its shard."""
        return canonical(
            {
                "customer": None if self.customer is None else str(self.customer),
                "head": base64_text.encode(self.head),
                "kind": self.kind,
                "stream": str(self.stream),
                "version": self.version,
            }
        )


class Roll(NamedTuple):
    """What is signed of a roll. `size`: of the log of events then; `events`: the sum of all last versions, which equals it."""

    size: int
    events_root: bytes
    root: bytes
    streams: int
    customers: int
    events: int

    def leaf(self) -> bytes:
        """The leaf in the log of rolls."""
        return canonical(
            {
                "customers": self.customers,
                "events": self.events,
                "events_root": base64_text.encode(self.events_root),
                "roll": base64_text.encode(self.root),
                "shards": SHARDS,
                "size": self.size,
                "streams": self.streams,
            }
        )

    @classmethod
    def parse(cls, leaf: bytes) -> "Roll":
        """Parse a leaf of the log of rolls. Raises Malformed."""
        try:
            known = orjson.loads(leaf)
        except orjson.JSONDecodeError:
            known = None
        if not isinstance(known, dict) or known.keys() != _MEMBERS or known["shards"] != SHARDS or canonical(known) != leaf:
            raise Malformed(what="roll", problem=f"it is not canonical JSON with {', '.join(sorted(_MEMBERS))}")
        counts = [known[name] for name in ("size", "streams", "customers", "events")]
        if not all(type(count) is int and count >= 0 for count in counts):
            raise Malformed(what="roll", problem="one of its counts is no whole number")
        roots = [base64_text.decode(str(known[name]), "roll", size=HASH_BYTES) for name in ("events_root", "roll")]
        return cls(counts[0], roots[0], roots[1], *counts[1:])


def shard_of(owner: UUID) -> int:
    """The shard of an owner's streams: the first 12 bits of SHA-256 over the id as text."""
    digest = sha256(str(owner).encode()).digest()
    return digest[0] << 4 | digest[1] >> 4


def kind_of(event_type: str) -> str:
    """The kind of a stream, from the type of one of its events: `invoice` of `invoice.settled.v1`."""
    return event_type.partition(".")[0]


def top_tree(shard_roots: Sequence[bytes]) -> MemoryTree:
    """The tree over the roots of all shards."""
    return MemoryTree(map(leaf_hash, shard_roots))
