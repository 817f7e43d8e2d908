"""The notary: signs the ledger's logs, and only extensions of what it signed before.

It reads what was appended since its last checkpoint, adds the leaves to the trees, and signs the new roots, one per size of a
log. From time to time it signs a roll, which has the last version of every stream. One notary is active at a time. Between
signings it re-reads what it signed, page by page; at a changed byte it records an alarm with the first position, and signs
nothing more, also after a restart.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import structlog

from ltc_events.audit.errors import HistoryChanged, LogWentBack, TwoHistories
from ltc_events.audit.keys import EVENTS, LOGS, OUTCOMES, REFUSALS, ROLLS, NotaryKeys, read_keys
from ltc_events.audit.leaves import PAGE_EVENTS, commands_begun, outcome_leaves, read_events
from ltc_events.audit.memory import NotaryMemory, memory_beside
from ltc_events.audit.rolls import Roller
from ltc_events.proofs.checkpoint import Checkpoint, open_checkpoint
from ltc_events.proofs.hashing import leaf_hash, subtree
from ltc_events.proofs.leaf import event_leaf
from ltc_events.proofs.note import Note
from ltc_events.proofs.tiles import TileReader
from ltc_events.proofs.tree_builder import TreeBuilder
from ltc_events.store.database import Database, Role
from ltc_events.store.event_store import EventStore
from ltc_events.store.transparency import Addition, SignedCheckpoint, TransparencyStore

log = structlog.get_logger()

EVERY_S = 5.0
EVENTS_MAX = 10_000
REFUSALS_MAX = 10_000
WAIT_S = 0.5
ROLL_EVERY_S = 10.0
# Of the notary's time, rolls take a tenth at most: what they cost grows with the streams that changed.
ROLL_REST = 9
PATROL_EVENTS = 500
# One who has gone through everything rests before he begins again.
PATROL_REST_S = 60.0


class _Kept(NamedTuple):
    """One growing log: its full name, and its tree."""

    origin: str
    tree: TreeBuilder


class Notary:
    """Signs the logs of one ledger."""

    def __init__(
        self,
        events: EventStore,
        store: TransparencyStore,
        keys: NotaryKeys,
        memory: NotaryMemory,
        *,
        every_s: float = EVERY_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._events = events
        self._store = store
        self._keys = keys
        self._memory = memory
        self._every_s = every_s
        self._sleep = sleep
        self._logs: dict[str, _Kept] | None = None
        self._previous: UUID | None = None
        self._next_at = 0.0
        self._patrol, self._patrol_at = 0, 0.0
        self._roll_at = 0.0
        self._roller = Roller(store, keys.origin(EVENTS), keys.origin(ROLLS))
        self.is_standing_by = False

    @property
    def size(self) -> int:
        """The position up to which events are signed."""
        return 0 if self._logs is None else self._logs[EVENTS].tree.size

    def begin(self) -> bool:
        """Take the lease and read the last checkpoints; whether this notary is active now.

        Raises HistoryChanged, LogWentBack, TwoHistories, ProofError.
        """
        if self._logs is not None:
            return True
        self.is_standing_by = not self._store.take_lease()
        if self.is_standing_by:
            return False
        logs = {name: self._opened(name) for name in LOGS}
        if logs[EVENTS].tree.size:
            before = self._events.raw_at([logs[EVENTS].tree.size])
            self._previous = next((one.command_id for one in before.values()), None)
        self._logs = logs
        self._recheck()
        self._go_on_to_what_was_signed()
        return True

    def step(self) -> None:
        """Sign new events when due; otherwise recheck a page of signed ones, or wait a moment."""
        if not self.begin():
            self._sleep(WAIT_S)
            return
        head = self._events.head()[0]
        if head - self.size >= EVENTS_MAX or time.monotonic() >= self._next_at:
            self.sign(head)
            is_behind = head - self.size >= EVENTS_MAX
            if not is_behind and time.monotonic() >= self._roll_at:
                began = time.monotonic()
                self.roll()
                self._roll_at = began + max((time.monotonic() - began) * (ROLL_REST + 1), ROLL_EVERY_S)
            self._next_at = time.monotonic() + (0.0 if is_behind else self._every_s)
            return
        self.patrol()
        self._sleep(min(max(self._next_at - time.monotonic(), 0.0), WAIT_S))

    def sign(self, upto: int) -> dict[str, SignedCheckpoint]:
        """Sign up to a position, at most EVENTS_MAX events; returns the checkpoints signed, by the name of the log."""
        try:
            return self._keep(self._grow(min(upto, self.size + EVENTS_MAX), REFUSALS_MAX))
        except BaseException:  # kept or not: what is kept says so when we begin anew
            self._logs = None
            raise

    def sign_all(self) -> None:
        """Sign all present events, and their roll."""
        head = self._events.head()[0]
        self.sign(head)
        while self.size < head or self._store.new_refusals(self._keys.origin(REFUSALS), 1):
            self.sign(head)
        self.roll()

    def roll(self) -> SignedCheckpoint | None:
        """Sign a roll of the signed events, unless the last one is of as many. Raises HistoryChanged."""
        before = self._last_rolled()
        return None if before >= self.size else self._sign_rolls(before, [self.size])

    def _last_rolled(self) -> int:
        """The size of the log of events at the last roll."""
        rolled = self._tree(ROLLS).size
        last = self._store.rolls.leaves(self._keys.origin(ROLLS), rolled - 1, 1) if rolled else []
        return last[0][1] if last else 0

    def _sign_rolls(self, before: int, sizes: Sequence[int], wanted: Checkpoint | None = None) -> SignedCheckpoint:
        """Sign rolls at these sizes of the log of events, which lead to the `wanted` checkpoint, where there is one."""
        try:
            tree, events = self._tree(ROLLS), self._keys.origin(EVENTS)
            first, leaves = tree.size, []
            with self._store.transaction():
                for size in sizes:
                    reader = TileReader(size, lambda tile: self._store.tile(events, tile))
                    leaf = self._roller.make(size, subtree(reader, 0, size), before).leaf()
                    leaves.append((tree.size, size, leaf))
                    tree.append(leaf_hash(leaf))
                    before = size
                if wanted is not None:
                    _require_same(tree, wanted)
                addition = self._signed(ROLLS, rolls=leaves)
                self._store.add([addition])
            signed = addition.checkpoint
            self._memory.remember_rolls(signed.note, signed.log, dict(enumerate(sizes, first)))
        except BaseException:  # as in `sign`
            self._logs = None
            raise
        return signed

    def patrol(self) -> None:
        """Recheck the next page of signed events. Raises HistoryChanged with the first changed position."""
        size = self.size
        if self._patrol >= size:
            self._patrol, self._patrol_at = 0, time.monotonic() + PATROL_REST_S
        if time.monotonic() < self._patrol_at or not size:
            return
        self._look_at(self._patrol, min(self._patrol + PATROL_EVENTS, size))

    def _look_at(self, first: int, end: int) -> None:
        origin = self._keys.origin(EVENTS)
        kept = self._store.leaf_hashes(origin, first, end)
        events = {one.position - 1: one for one in read_events(self._events, first, end, end - first)}
        last = max(events, default=end - 1)
        for index in range(first, last + 1):
            event = events.get(index)
            if event is None or kept.get(index) != leaf_hash(event_leaf(event)):
                self._memory.give_alarm(origin, index)
                raise self._changed(origin, index)
        self._patrol = last + 1

    def _changed(self, origin: str, index: int) -> HistoryChanged:
        covering = self._store.covering(origin, index + 1)
        return HistoryChanged(where=f"position {index + 1}", size=covering.size if covering else index + 1, log=origin)

    def _recheck(self) -> None:
        """Keep an alarm until the leaf that it names is again as it was signed."""
        alarm = self._memory.alarm
        if alarm is not None and alarm["log"] == self._keys.origin(EVENTS):
            self._look_at(alarm["index"], alarm["index"] + 1)
            self._memory.end_alarm()
            log.warning("notary_alarm_ended", log=alarm["log"], position=alarm["index"] + 1)

    def _opened(self, name: str) -> _Kept:
        """A log at its last checkpoint, checked against our key and our own state."""
        origin, verifiers = self._keys.origin(name), self._keys.verifiers(name)
        last = self._store.last(origin)
        size = 0 if last is None else last.size
        tree = TreeBuilder(size, lambda tile: self._store.tile(origin, tile))
        if last is not None:
            checkpoint, _ = open_checkpoint(last.note, verifiers, origin)
            if (checkpoint.size, checkpoint.root) != (size, tree.root()):
                raise HistoryChanged(where="the kept tree", size=size, log=origin)
        known = self._remembered(name)
        if known is not None and known.size <= size:
            reader = TileReader(size, lambda tile: self._store.tile(origin, tile))
            if subtree(reader, 0, known.size) != known.root:
                raise TwoHistories(log=origin, size=known.size)
        if last is not None and (known is None or known.size <= size):
            self._sign_too(name, last)
        return _Kept(origin, tree)

    def _sign_too(self, name: str, last: SignedCheckpoint) -> None:
        """Sign the last checkpoints with a new key, so that the old one can be removed."""
        note = Note.parse(last.note)
        new = [signer.sign(note.text) for signer in self._keys.signers(name) if not note.signed_by(signer.verifier)]
        if new:
            self._store.sign_too(last.log, last.size, [one.line() for one in new])
            self._memory.remember({last.log: bytes(note.signed_too(new))})

    def _remembered(self, name: str) -> Checkpoint | None:
        note = self._memory.note(self._keys.origin(name))
        return None if note is None else open_checkpoint(note, self._keys.verifiers(name), self._keys.origin(name))[0]

    def _go_on_to_what_was_signed(self) -> None:
        """If the database is older than what was signed, require the same roots again before signing anything else."""
        known = {name: one for name in LOGS if (one := self._remembered(name)) is not None}
        rolls = known.pop(ROLLS, None)
        behind = [(name, one) for name, one in known.items() if one.size > self._tree(name).size]
        if behind:
            self._sign_again(known, behind)
        if rolls is not None and rolls.size > self._tree(ROLLS).size:
            self._roll_again(rolls)

    def _sign_again(self, known: Mapping[str, Checkpoint], behind: Sequence[tuple[str, Checkpoint]]) -> None:
        try:
            events, refusals = known.get(EVENTS), known.get(REFUSALS)
            upto = min(self._events.head()[0], events.size if events else 0)
            # The sizes of the rolls first: each roll names a checkpoint of the events, and is signed again as it was.
            rolled = self._memory.roll_sizes(self._keys.origin(ROLLS)).values()
            additions = [one for size in sorted(rolled) if self.size < size < upto for one in self._grow(size, 0)]
            additions += self._grow(upto, max(refusals.size - self._tree(REFUSALS).size, 0) if refusals else 0)
            for name, one in behind:
                _require_same(self._tree(name), one)
            self._keep(additions)
        except BaseException:  # whatever it is, the trees are no longer what is kept
            self._logs = None
            raise

    def _roll_again(self, signed: Checkpoint) -> None:
        sizes = self._memory.roll_sizes(signed.origin)
        rolled = self._tree(ROLLS).size
        if any(index not in sizes or sizes[index] > self.size for index in range(rolled, signed.size)):
            self._logs = None
            raise LogWentBack(log=signed.origin, size=rolled, signed=signed.size)
        self._sign_rolls(self._last_rolled(), [sizes[index] for index in range(rolled, signed.size)], signed)

    def _tree(self, name: str) -> TreeBuilder:
        if self._logs is None:
            raise RuntimeError("the notary has not begun")
        return self._logs[name].tree

    def _grow(self, upto: int, refusals: int) -> list[Addition]:
        """Add new leaves to the trees; returns the rows to store."""
        before = {name: self._tree(name).size for name in LOGS}
        events, outcomes = self._tree(EVENTS), self._tree(OUTCOMES)
        while events.size < upto:
            page = read_events(self._events, events.size, upto, PAGE_EVENTS)
            if [one.position for one in page] != list(range(events.size + 1, events.size + len(page) + 1)) or not page:
                raise HistoryChanged(where=f"position {events.size + 1}", size=upto, log=self._keys.origin(EVENTS))
            for event in page:
                events.append(leaf_hash(event_leaf(event)))
            for leaf in outcome_leaves(self._store, commands_begun(page, self._previous)):
                outcomes.append(leaf_hash(leaf))
            self._previous = page[-1].command_id
        places: list[tuple[int, UUID, datetime]] = []
        tree = self._tree(REFUSALS)
        for refusal in self._store.new_refusals(self._keys.origin(REFUSALS), refusals) if refusals else ():
            places.append((tree.size, refusal.command_id, refusal.recorded_at))
            tree.append(leaf_hash(refusal.leaf()))
        return [self._signed(name, places if name == REFUSALS else ()) for name in LOGS if self._tree(name).size > before[name]]

    def _signed(
        self, name: str, places: Sequence[tuple[int, UUID, datetime]] = (), rolls: Sequence[tuple[int, int, bytes]] = ()
    ) -> Addition:
        origin, tree = self._keys.origin(name), self._tree(name)
        checkpoint = Checkpoint(origin, tree.size, tree.root())
        note = bytes(checkpoint.sign(self._keys.signers(name)))
        signed = SignedCheckpoint(origin, checkpoint.size, checkpoint.root, datetime.now(UTC), note)
        return Addition(tree.growth(), signed, places, rolls)

    def _keep(self, additions: list[Addition]) -> dict[str, SignedCheckpoint]:
        if additions:
            self._store.add(additions)
            self._memory.remember({one.checkpoint.log: one.checkpoint.note for one in additions})
            log.debug("notary_signed", **{one.checkpoint.log.rpartition("/")[2]: one.checkpoint.size for one in additions})
        return {one.checkpoint.log: one.checkpoint for one in additions}


def _require_same(tree: TreeBuilder, signed: Checkpoint) -> None:
    if tree.size < signed.size:
        raise LogWentBack(log=signed.origin, size=tree.size, signed=signed.size)
    if (tree.size, tree.root()) != (signed.size, signed.root):
        raise TwoHistories(log=signed.origin, size=signed.size)


@contextmanager
def open_notary(database: Database, key_file: Path) -> Iterator[Notary]:
    """A notary with its own connections, the keys of a file, and the state file beside it.

    Raises NoNotaryKey, NotaryKeyUnreadable.
    """
    keys = read_keys(key_file)
    memory = NotaryMemory(memory_beside(key_file))
    with EventStore(database, Role.NOTARY) as events, TransparencyStore(database) as store:
        yield Notary(events, store, keys, memory)
