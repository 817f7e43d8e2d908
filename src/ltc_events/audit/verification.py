"""Verifies everything that was signed: every event, outcome, refusal and roll is hashed again and held to trees and checkpoints.

The trees are built from the stored hashes, and each leaf is compared with its hash. So each changed row is named, and stored
hashes that were changed along with it are found at the next checkpoint, which cannot be signed again without the key.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

from ltc_events.audit.expected import Expected
from ltc_events.audit.findings import Finding, Kind, LogState, Verdict
from ltc_events.audit.keys import EVENTS, LOGS, OUTCOMES, REFUSALS, ROLLS
from ltc_events.audit.leaves import PAGE_EVENTS, BegunCommand, commands_begun, outcome_leaves, read_events
from ltc_events.audit.roll_verification import verify_rolls
from ltc_events.proofs.checkpoint import Checkpoint
from ltc_events.proofs.hashing import HASH_BYTES, leaf_hash
from ltc_events.proofs.leaf import event_leaf
from ltc_events.proofs.note import Note, Verifier
from ltc_events.proofs.tiles import Tile
from ltc_events.proofs.tree_builder import TreeBuilder
from ltc_events.schemas.record import RawRecord
from ltc_events.store.event_store import EventStore
from ltc_events.store.transparency import TransparencyStore

FINDINGS_MAX = 100
Report = Callable[[int, int], None]
ABSENT = b""


class LogWalk:
    """The walk of one log: its tree from the stored hashes, and its expected checkpoints."""

    def __init__(self, store: TransparencyStore, expected: Expected) -> None:
        self._store = store
        self.expected = expected
        self.findings = expected.findings
        self._tree = TreeBuilder()
        self._tiles: dict[tuple[int, int], bytes] = {}

    @property
    def at(self) -> int:
        """The index of the next leaf."""
        return self._tree.size

    def take(self, first: int, hashes: Sequence[bytes], name: Callable[[int], tuple[Kind, str, str]]) -> list[int]:
        """Compare the present leaves from `first` on (ABSENT: removed); returns those that differ. `name` names an index."""
        end = min(first + len(hashes), self.expected.size)
        kept = self._store.leaf_hashes(self.expected.origin, first, end)
        wrong = []
        for index in range(first, end):
            now = hashes[index - first]
            was = kept.get(index)
            if was != now:
                wrong.append(index)
                kind, where, detail = name(index)
                self._found(Finding(kind, self.expected.origin, where, detail, self.expected.since(index + 1)))
            self._append(now if was is None else was)
        return wrong

    def skip(self, first: int, end: int) -> None:
        """Append stored hashes without comparing their leaves."""
        kept = self._store.leaf_hashes(self.expected.origin, first, end)
        for index in range(first, end):
            self._append(kept.get(index, ABSENT))

    def kept(self, first: int, end: int) -> dict[int, bytes]:
        """The stored hashes of leaves."""
        return self._store.leaf_hashes(self.expected.origin, first, min(end, self.expected.size))

    def append(self, hash: bytes) -> None:
        """One leaf of the tree."""
        self._append(hash)

    def found(self, kind: Kind, leaf: int, where: str, detail: str) -> None:
        """Report a finding at a leaf (from 1)."""
        self._found(Finding(kind, self.expected.origin, where, detail, self.expected.since(leaf)))

    def end(self) -> None:
        """End the walk: compare the upper tiles, too."""
        for (level, tile), hashes in sorted(self._tiles.items()):
            if self._store.tile(self.expected.origin, Tile(level, tile, len(hashes) // HASH_BYTES)) != hashes:
                detail = "the kept hashes of the tree above the leaves were changed"
                self._found(Finding(Kind.TREE, self.expected.origin, f"tile {level}/{tile}", detail))

    def _append(self, hash: bytes) -> None:
        self._tree.append(hash)
        if self._tree.size == self.expected.next_size():
            self.expected.meet(self._tree.root())
            for level, tile, _, hashes in self._tree.growth():
                if level:
                    self._tiles[level, tile] = self._tiles.get((level, tile), b"") + hashes

    def _found(self, finding: Finding) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)


def verify_logs(
    events: EventStore,
    store: TransparencyStore,
    verifiers: Mapping[str, tuple[str, Sequence[Verifier]]],
    others: Iterable[tuple[str, bytes]],
    report: Report | None = None,
) -> Verdict:
    """Verify the logs. `verifiers`: the full name and keys of each log; `others`: checkpoints kept elsewhere, by full name."""
    notes = list(others)
    walks = {}
    for name in LOGS:
        origin, keys = verifiers[name]
        theirs = [note for of, note in notes if of == origin]
        walks[name] = LogWalk(store, Expected(origin, store.checkpoints(origin), theirs, keys))
    head = events.head()[0]
    _walk_events(events, store, walks, head, report)
    _walk_refusals(store, walks[REFUSALS])
    _walk_rolls(store, walks[ROLLS])
    for walk in walks.values():
        walk.end()
    findings = [finding for walk in walks.values() for finding in walk.findings]
    findings += _rolls(store, walks, verifiers, notes)
    findings += _whole(store, verifiers[EVENTS][0], walks[EVENTS].expected.size)
    states = [LogState(walk.expected.origin, walk.expected.size, walk.expected.signed_at) for walk in walks.values()]
    return Verdict(states, max(head - walks[EVENTS].expected.size, 0), [], findings)


def _walk_events(
    store: EventStore, logs: TransparencyStore, walks: Mapping[str, LogWalk], head: int, report: Report | None
) -> None:
    walk, size = walks[EVENTS], walks[EVENTS].expected.size
    previous: UUID | None = None
    changed: list[RawRecord] = []
    while walk.at < size:
        first = walk.at
        page = read_events(store, first, size, PAGE_EVENTS)
        if not page:
            walk.found(Kind.TRUNCATED, first + 1, f"positions {first + 1} to {size}", "these events are gone from the log's end")
            walk.skip(first, size)
            break
        by_index = {event.position - 1: event for event in page}
        end = page[-1].position
        hashes = [leaf_hash(event_leaf(by_index[n])) if n in by_index else ABSENT for n in range(first, end)]
        wrong = walk.take(first, hashes, lambda index, known=by_index: _event_named(index, known.get(index)))  # type: ignore[misc]
        changed += [by_index[index] for index in wrong if index in by_index][: FINDINGS_MAX - len(changed)]
        _take_outcomes(logs, walks[OUTCOMES], commands_begun(page, previous))
        previous = page[-1].command_id
        if report:
            report(walk.at, size)
    _end_outcomes(walks[OUTCOMES])
    _name_exchanged(walk, changed)
    if head < size:
        walk.found(Kind.TRUNCATED, size, f"the head, {head}", f"it is before the last position that was signed, {size}")


def _event_named(index: int, event: RawRecord | None) -> tuple[Kind, str, str]:
    where = f"position {index + 1}"
    if event is None:
        return Kind.MISSING, where, "the event is gone"
    return Kind.CHANGED, where, f"{event.type}, version {event.version} of stream {event.subject}, is not what was signed"


def _name_exchanged(walk: LogWalk, changed: Sequence[RawRecord]) -> None:
    """Find the changed events that only exchanged their positions."""
    kept = {index: walk.kept(index, index + 1).get(index) for index in (one.position - 1 for one in changed)}
    for event in changed:
        for index, was in kept.items():
            moved = event._replace(position=index + 1)
            if index + 1 != event.position and leaf_hash(event_leaf(moved)) == was:
                walk.found(
                    Kind.EXCHANGED,
                    event.position,
                    f"position {event.position}",
                    f"the event there was signed at position {index + 1}",
                )


def _take_outcomes(store: TransparencyStore, walk: LogWalk, commands: Sequence[BegunCommand]) -> None:
    hashes = [leaf_hash(leaf) for leaf in outcome_leaves(store, commands)]
    kept = walk.kept(walk.at, walk.at + len(hashes) + FINDINGS_MAX)
    for number, (command, now) in enumerate(zip(commands, hashes, strict=True)):
        index = walk.at
        if index >= walk.expected.size:
            walk.found(Kind.ADDED, index + 1, f"command {command.id}", "no outcome of a command with events was signed here")
            continue
        if kept.get(index) == now:
            walk.append(now)
            continue
        # Where a command has gone with its events, or one has come, those behind it are as they were.
        gone = next((n for n in range(1, FINDINGS_MAX) if kept.get(index + n) == now), 0)
        following = hashes[number + 1] if number + 1 < len(hashes) else None
        where = f"command {command.id} at position {command.first_position}"
        if gone:
            walk.found(Kind.MISSING, index + 1, f"before {where}", f"{gone} commands with their outcomes are gone")
            for skipped in range(index, index + gone + 1):
                walk.append(kept[skipped])
        elif following is not None and kept.get(index) == following:
            walk.found(Kind.ADDED, index + 1, where, "no such command was signed")
        else:
            walk.found(Kind.CHANGED, index + 1, where, "its outcome is not what was signed, or is gone")
            walk.append(kept.get(index, now))


def _end_outcomes(walk: LogWalk) -> None:
    size = walk.expected.size
    if walk.at < size:
        walk.found(Kind.TRUNCATED, walk.at + 1, f"leaves {walk.at + 1} to {size}", "the outcomes of the last commands are gone")
        walk.skip(walk.at, size)


def _walk_refusals(store: TransparencyStore, walk: LogWalk) -> None:
    origin, size = walk.expected.origin, walk.expected.size
    while walk.at < size:
        first = walk.at
        rows = {index: (wanted, outcome) for index, wanted, outcome in store.refusals(origin, first, PAGE_EVENTS)}
        end = min(first + PAGE_EVENTS, size)
        hashes = []
        for index in range(first, end):
            _, outcome = rows.get(index, (None, None))
            hashes.append(ABSENT if outcome is None else leaf_hash(outcome.leaf()))

        def name(index: int, rows: Mapping[int, tuple[UUID, object]] = rows) -> tuple[Kind, str, str]:
            wanted, outcome = rows.get(index, (None, None))
            what = f"command {wanted}" if wanted else f"leaf {index + 1}"
            if outcome is None:
                return Kind.MISSING, what, "the refusal is gone"
            return Kind.CHANGED, what, "its outcome without events is not what was signed"

        walk.take(first, hashes, name)
    for command, recorded_at in store.refusals_left_out(origin, FINDINGS_MAX):
        at = f"recorded {recorded_at:%Y-%m-%d %H:%M:%S}"
        walk.found(
            Kind.ADDED, size, f"command {command}", f"{at}, and refusals that were recorded later are signed: it was put there"
        )


def _walk_rolls(store: TransparencyStore, walk: LogWalk) -> None:
    origin, size = walk.expected.origin, walk.expected.size

    def name(index: int) -> tuple[Kind, str, str]:
        is_there = index in rows
        detail = "it is not what was signed" if is_there else "it is gone"
        return Kind.CHANGED if is_there else Kind.MISSING, f"roll {index + 1}", detail

    while walk.at < size:
        first, end = walk.at, min(walk.at + PAGE_EVENTS, size)
        rows = {index: leaf for index, _, leaf in store.rolls.leaves(origin, first, end - first)}
        walk.take(first, [leaf_hash(rows[index]) if index in rows else ABSENT for index in range(first, end)], name)


def _rolls(
    store: TransparencyStore,
    walks: Mapping[str, LogWalk],
    verifiers: Mapping[str, tuple[str, Sequence[Verifier]]],
    notes: Sequence[tuple[str, bytes]],
) -> list[Finding]:
    """Verify what rolls say: the last one, and those under checkpoints that were kept elsewhere, stream by stream.

    Only where the events are as they were signed: of others another roll follows, and each harm is told once.
    """
    rolls = walks[ROLLS].expected
    if walks[EVENTS].findings:
        return []
    kept = [Checkpoint.parse(Note.parse(note).text).size for of, note in notes if of == rolls.origin]
    return verify_rolls(store, rolls.origin, rolls.size, store.checkpoints(verifiers[EVENTS][0]), kept)[:FINDINGS_MAX]


def _whole(store: TransparencyStore, origin: str, size: int) -> list[Finding]:
    """Check the consistency of the rows themselves: versions and outcomes."""
    findings = [
        Finding(Kind.VERSIONS, origin, f"stream {stream}", f"{count} events have the versions {low} to {high}: there is a gap")
        for stream, count, low, high in store.broken_versions(size, FINDINGS_MAX)
    ]
    for command, first, last in store.outcomes_ahead(FINDINGS_MAX):
        where = f"command {command}"
        findings.append(
            Finding(Kind.CHANGED, origin, where, f"its outcome names the positions {first} to {last}, which are not its own")
        )
    return findings
