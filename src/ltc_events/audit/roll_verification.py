"""Verifies rolls: each against the signed events, and the last one against every stream of the log, folded again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from ltc_events.audit.findings import Finding, Kind, Since
from ltc_events.audit.rolls import PAGE_SHARDS, roll_over, shard_over
from ltc_events.proofs.errors import Malformed
from ltc_events.proofs.hashing import HASH_BYTES, leaf_hash
from ltc_events.proofs.leaf import event_leaf
from ltc_events.proofs.roll import SHARDS, Roll, StreamHead, kind_of, shard_of
from ltc_events.schemas.record import RawRecord
from ltc_events.store.rolls import Member
from ltc_events.store.transparency import SignedCheckpoint, TransparencyStore

PAGE_ROLLS = 2_000
_ID_BYTES = 16
_VERSION_BYTES = 8
_NAMED_BYTES = 2 * _ID_BYTES
_ROW_BYTES = _NAMED_BYTES + 1 + _VERSION_BYTES + HASH_BYTES


class SignedRoll(NamedTuple):
    """A roll in the log of rolls: its number (from 1), and what it says."""

    number: int
    roll: Roll


def verify_rolls(
    store: TransparencyStore, log: str, size: int, events: Sequence[SignedCheckpoint], also: Iterable[int]
) -> list[Finding]:
    """Verify the first `size` rolls of a log; the last one, and those after so many (`also`), against all streams."""
    roots = {one.size: one.root for one in events}
    wanted = {size, *also}
    findings: list[Finding] = []
    before = 0
    for number, leaf in _leaves(store, log, size):
        where = f"roll {number}"
        try:
            roll = Roll.parse(leaf)
        except Malformed as error:
            findings.append(Finding(Kind.ROLL, log, where, error.message, Since(number, None)))
            continue
        findings += _findings_of(log, SignedRoll(number, roll), roots, before)
        before = max(before, roll.size)
        if number in wanted:
            findings += _compared(store, log, SignedRoll(number, roll))
    return findings


def _leaves(store: TransparencyStore, log: str, size: int) -> Iterable[tuple[int, bytes]]:
    first = 0
    while first < size and (rows := store.rolls.leaves(log, first, PAGE_ROLLS)):
        yield from ((index + 1, leaf) for index, _, leaf in rows if index < size)
        first = rows[-1][0] + 1


def _findings_of(log: str, signed: SignedRoll, roots: Mapping[int, bytes], before: int) -> Iterable[Finding]:
    number, roll = signed
    where = f"roll {number}, of {roll.size} events"
    if roll.size <= before:
        yield Finding(Kind.ROLL, log, where, f"the roll before it is of {before} events", Since(number, None))
    if roots.get(roll.size) != roll.events_root:
        yield Finding(Kind.ROLL, log, where, "no checkpoint of the events has its size and root", Since(number, None))
    if roll.events != roll.size:
        detail = (
            f"the last versions of its streams add up to {roll.events}: what is left out has {roll.size - roll.events} events"
        )
        yield Finding(Kind.ROLL, log, where, detail, Since(number, None))


def _compared(store: TransparencyStore, log: str, signed: SignedRoll) -> list[Finding]:
    """Make the roll again from the events. Where it differs, name the first stream that the kept heads have otherwise."""
    number, roll = signed
    where = f"roll {number}, of {roll.size} events"
    shards = _folded(store, roll.size)
    again = roll_over({n: shard_over(n, members) for n, members in _members(shards)}, roll.size, roll.events_root)
    is_kept = store.rolls.state(log) == roll.size
    difference = _first_difference(store, shards) if is_kept else None
    if store.rolls.state(log) != roll.size:  # a notary has made the next roll meanwhile, from other heads
        difference = None
    if again == roll and difference is None:
        return []
    if again == roll:
        detail = f"it is true; what the next one would be made from is not: {difference}"
    elif difference is not None:
        detail = f"it is not what the events say: {difference}"
    else:
        said = f"{again.streams} streams of {again.customers} customers with {again.events} events"
        detail = f"it is not what the events say, which are {said}; which stream differs is not known, as its heads are not kept"
    return [Finding(Kind.ROLL, log, where, detail, Since(number, None))]


def _folded(store: TransparencyStore, size: int) -> list[bytearray]:
    """The streams of each shard, packed: owner, stream, whether a customer's, version, and the hash of the leaf."""
    shards = [bytearray() for _ in range(SHARDS)]
    for event in store.rolls.heads(size):
        head = head_of(event)
        owner = head.owner
        is_customers = bytes([head.customer is not None])
        version = head.version.to_bytes(_VERSION_BYTES, "big")
        shards[shard_of(owner)] += owner.bytes + head.stream.bytes + is_customers + version + leaf_hash(head.leaf())
    return shards


def head_of(event: RawRecord) -> StreamHead:
    """The head of the stream whose last event this is."""
    return StreamHead(event.customer_id, event.subject, kind_of(event.type), event.version, leaf_hash(event_leaf(event)))


def _rows(shard: bytearray) -> list[bytes]:
    return sorted(bytes(shard[at : at + _ROW_BYTES]) for at in range(0, len(shard), _ROW_BYTES))


def _unpacked(row: bytes) -> Member:
    owner, stream = UUID(bytes=row[:_ID_BYTES]), UUID(bytes=row[_ID_BYTES:_NAMED_BYTES])
    version = int.from_bytes(row[_NAMED_BYTES + 1 : -HASH_BYTES], "big")
    return Member(owner, stream, bool(row[_NAMED_BYTES]), version, row[-HASH_BYTES:])


def _members(shards: Sequence[bytearray]) -> Iterable[tuple[int, list[Member]]]:
    return ((number, [_unpacked(row) for row in _rows(shard)]) for number, shard in enumerate(shards) if shard)


def _first_difference(store: TransparencyStore, shards: Sequence[bytearray]) -> str | None:
    """The first stream, by shard, owner and id, that the kept heads have otherwise than the events."""
    sums = store.rolls.shards()
    for at in range(0, SHARDS, PAGE_SHARDS):
        kept = dict(store.rolls.members(range(at, at + PAGE_SHARDS)))
        for number in range(at, at + PAGE_SHARDS):
            theirs = {one.stream: one for one in kept.get(number, [])}
            members = [_unpacked(row) for row in _rows(shards[number])]
            ours = {one.stream: one for one in members}
            for stream in sorted(ours.keys() | theirs.keys(), key=lambda id: (ours.get(id) or theirs[id])[:2]):
                if ours.get(stream) != theirs.get(stream):
                    return _named(stream, ours.get(stream), theirs.get(stream))
            if members and sums.get(number) != shard_over(number, members):
                return f"shard {number}, whose kept root is not that of its streams"
    return None


def _named(stream: UUID, ours: Member | None, theirs: Member | None) -> str:
    if theirs is None:
        return f"stream {stream}, of version {ours.version if ours else 0}, is left out"
    if ours is None:
        return f"stream {stream} is in it, and no event is of it"
    if ours.version != theirs.version:
        return f"stream {stream} ends at version {ours.version}, and at {theirs.version} in it"
    return f"stream {stream} has another last event, customer or kind in it"
