"""Makes rolls from the streams that changed since the last one, so that the cost of a roll follows what is new."""

from collections.abc import Mapping, Sequence

import structlog

from ltc_events.audit.errors import HistoryChanged
from ltc_events.proofs.hashing import EMPTY_ROOT
from ltc_events.proofs.memory_tree import MemoryTree
from ltc_events.proofs.roll import SHARDS, Roll, StreamHead, kind_of, top_tree
from ltc_events.store.rolls import Member, Shard
from ltc_events.store.transparency import TransparencyStore

log = structlog.get_logger()

PAGE_EVENTS = 10_000
PAGE_SHARDS = 256


class Roller:
    """Makes the rolls of one ledger. The log of events has to have its leaves up to each roll already."""

    def __init__(self, store: TransparencyStore, events_log: str, rolls_log: str) -> None:
        self._store = store
        self._rolls = store.rolls
        self._events_log = events_log
        self._rolls_log = rolls_log

    def make(self, size: int, events_root: bytes, before: int) -> Roll:
        """The roll at a size of the log of events, behind the one at the size `before`; in a transaction of the caller.

        Raises HistoryChanged where the events themselves have another number than their streams' versions say.
        """
        kept = self._rolls.state(self._rolls_log)
        if kept != before or not kept:
            self._rolls.clear()
            kept = 0
        made = self._advanced(kept, size, events_root)
        if made.events != size and kept:
            log.warning("roll_built_anew", log=self._rolls_log, events=made.events, size=size)
            self._rolls.clear()
            made = self._advanced(0, size, events_root)
        if made.events != size:
            where = f"the sum of the last versions of all streams, {made.events},"
            raise HistoryChanged(where=where, size=size, log=self._events_log)
        return made

    def _advanced(self, kept: int, size: int, events_root: bytes) -> Roll:
        changed: set[int] = set()
        for first in range(kept, size, PAGE_EVENTS):
            changed |= self._rolls.keep_streams(self._heads(first, min(first + PAGE_EVENTS, size)))
        numbers = sorted(changed)
        for at in range(0, len(numbers), PAGE_SHARDS):
            members = self._rolls.members(numbers[at : at + PAGE_SHARDS])
            self._rolls.keep_shards([shard_over(number, those) for number, those in members])
        self._rolls.keep_state(self._rolls_log, size)
        return roll_over(self._rolls.shards(), size, events_root)

    def _heads(self, first: int, end: int) -> list[StreamHead]:
        leaves = self._store.leaf_hashes(self._events_log, first, end)
        heads = []
        for event in self._rolls.last_events(first, end):
            if (leaf := leaves.get(event.position - 1)) is None:
                raise HistoryChanged(where=f"position {event.position}", size=end, log=self._events_log)
            heads.append(StreamHead(event.customer, event.stream, kind_of(event.type), event.version, leaf))
        return heads


def shard_over(number: int, members: Sequence[Member]) -> Shard:
    """The shard with these streams, in the order of its leaves."""
    customers = len({member.owner for member in members if member.is_customers})
    root = MemoryTree(member.leaf for member in members).root()
    return Shard(number, root, len(members), customers, sum(member.version for member in members))


def shard_roots(shards: Mapping[int, Shard]) -> list[bytes]:
    """The roots of all shards; of one without streams, that of nothing."""
    return [shards[number].root if number in shards else EMPTY_ROOT for number in range(SHARDS)]


def roll_over(shards: Mapping[int, Shard], size: int, events_root: bytes) -> Roll:
    """The roll over the shards at a checkpoint of the events."""
    root = top_tree(shard_roots(shards)).root()
    streams, customers = sum(one.streams for one in shards.values()), sum(one.customers for one in shards.values())
    return Roll(size, events_root, root, streams, customers, sum(one.events for one in shards.values()))
