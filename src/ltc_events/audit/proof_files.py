"""Proof files and exports of a log: from the stored tree, under the last signed checkpoint."""

from collections.abc import Iterator
from pathlib import Path

from ltc_events.audit.errors import HistoryChanged, NotCovered, NothingSigned
from ltc_events.audit.keys import EVENTS, OUTCOMES, ROLLS, NotaryKeys
from ltc_events.audit.leaves import PAGE_EVENTS, commands_begun, outcome_leaves, read_events
from ltc_events.proofs.hashing import HASH_BYTES, leaf_hash
from ltc_events.proofs.leaf import event_leaf
from ltc_events.proofs.proof import make_consistency, make_inclusion
from ltc_events.proofs.tiles import WIDTH, Tile, TileReader, pack_entries, tiles_of
from ltc_events.proofs.tlog_proof import TlogProof
from ltc_events.store.event_store import EventStore
from ltc_events.store.transparency import SignedCheckpoint, TransparencyStore


def last_signed(store: TransparencyStore, origin: str) -> SignedCheckpoint:
    """The last checkpoint of a log. Raises NothingSigned."""
    last = store.last(origin)
    if last is None:
        raise NothingSigned(log=origin)
    return last


def prove_event(events: EventStore, store: TransparencyStore, keys: NotaryKeys, position: int) -> tuple[bytes, TlogProof]:
    """The leaf of the event at a position, and the proof that it is in the log.

    Raises NothingSigned, NotCovered, and HistoryChanged where the event is no longer what was signed.
    """
    origin = keys.origin(EVENTS)
    signed = last_signed(store, origin)
    if not 1 <= position <= signed.size:
        raise NotCovered(log=origin, size=signed.size, wanted=f"position {position}")
    event = events.raw_at([position]).get(position)
    leaf = b"" if event is None else event_leaf(event)
    reader = _reader(store, origin, signed.size)
    if reader(0, position - 1) != leaf_hash(leaf):
        raise HistoryChanged(where=f"position {position}", size=signed.size, log=origin)
    return leaf, TlogProof(position - 1, tuple(make_inclusion(position - 1, signed.size, reader)), signed.note)


def prove_consistency(store: TransparencyStore, origin: str, old: int, new: int | None = None) -> list[bytes]:
    """The proof that the log of `old` leaves is a prefix of that of `new` leaves (default: the last checkpoint).

    Raises NothingSigned, NotCovered.
    """
    size = last_signed(store, origin).size
    wanted = size if new is None else new
    if not 1 <= old <= wanted <= size:
        raise NotCovered(log=origin, size=size, wanted=f"a proof from {old} to {wanted} leaves")
    return make_consistency(old, wanted, _reader(store, origin, wanted))


def export_log(events: EventStore, store: TransparencyStore, keys: NotaryKeys, log: str, folder: Path) -> SignedCheckpoint:
    """Write a log as files (C2SP tlog-tiles): tiles, entries, key, and finally the checkpoint. Existing full tiles are kept.

    Raises NothingSigned, and HistoryChanged where an entry is no longer what was signed.
    """
    origin = keys.origin(log)
    signed = last_signed(store, origin)
    for tile in tiles_of(signed.size):
        path = folder / tile.path()
        if not path.exists():
            _write(path, store.tile(origin, tile))
    for number, entries in enumerate(_tiles_of_entries(events, store, keys, log, signed.size)):
        tile = Tile(0, number, len(entries))
        kept = store.tile(origin, tile)
        for place, entry in enumerate(entries):
            if kept[place * HASH_BYTES : (place + 1) * HASH_BYTES] != leaf_hash(entry):
                raise HistoryChanged(where=f"leaf {number * WIDTH + place + 1}", size=signed.size, log=origin)
        _write(folder / tile.path(entries=True), pack_entries(entries))
    _write(folder / "vkey", f"{keys.verifiers(log)[0]}\n".encode())
    _write(folder / "checkpoint", signed.note)
    return signed


def _tiles_of_entries(
    events: EventStore, store: TransparencyStore, keys: NotaryKeys, log: str, size: int
) -> Iterator[list[bytes]]:
    tile: list[bytes] = []
    done = 0
    for leaf in _leaves(events, store, keys, log):
        tile.append(leaf)
        done += 1
        if len(tile) == WIDTH or done == size:
            yield tile
            tile = []
        if done == size:
            return
    if tile or done < size:
        raise HistoryChanged(where=f"leaf {done + 1}", size=size, log=keys.origin(log))


def _leaves(events: EventStore, store: TransparencyStore, keys: NotaryKeys, log: str) -> Iterator[bytes]:
    if log in (EVENTS, OUTCOMES):
        position, previous = 0, None
        while page := read_events(events, position, last_signed(store, keys.origin(EVENTS)).size, PAGE_EVENTS):
            if log == EVENTS:
                yield from map(event_leaf, page)
            else:
                yield from outcome_leaves(store, commands_begun(page, previous))
            position, previous = page[-1].position, page[-1].command_id
        return
    first = 0
    if log == ROLLS:
        while leaves := store.rolls.leaves(keys.origin(log), first, PAGE_EVENTS):
            yield from (leaf for _, _, leaf in leaves)
            first += len(leaves)
        return
    while rows := list(store.refusals(keys.origin(log), first, PAGE_EVENTS)):
        yield from (b"" if outcome is None else outcome.leaf() for _, _, outcome in rows)
        first += len(rows)


def _reader(store: TransparencyStore, origin: str, size: int) -> TileReader:
    return TileReader(size, lambda tile: store.tile(origin, tile))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
