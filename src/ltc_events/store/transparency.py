"""Storage of the transparency logs: tree hashes, signed checkpoints, and the outcomes that leaves are made of."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from psycopg.rows import scalar_row

from ltc_events.proofs.hashing import HASH_BYTES
from ltc_events.proofs.leaf import outcome_leaf
from ltc_events.proofs.tiles import WIDTH, Tile
from ltc_events.proofs.tree_builder import Growth
from ltc_events.store.database import Database, Role
from ltc_events.store.lease import IDLE_TIMEOUT_S
from ltc_events.store.parameters import Uuids, register
from ltc_events.store.rolls import RollStore
from ltc_events.store.sql_files import Statements

LEASE = "ltc.notary"

_SQL = Statements(__name__)
_COLUMNS, _CHECKPOINT = _SQL.compose("outcome_columns"), _SQL.compose("checkpoint_columns")
_LAST = _SQL.compose("last_checkpoint", checkpoint=_CHECKPOINT).as_bytes()
_ALL = _SQL.compose("checkpoints", checkpoint=_CHECKPOINT).as_bytes()
_AT_LEAST = _SQL.compose("checkpoint_of", checkpoint=_CHECKPOINT).as_bytes()
_LOGS = _SQL["logs"]
_TILE, _TILES = _SQL["tile"], _SQL["tiles"]
_KEEP_HASHES, _KEEP_CHECKPOINT = _SQL["keep_hashes"], _SQL["keep_checkpoint"]
_KEEP_SIGNATURE, _KEEP_REFUSAL, _KEEP_ROLL = _SQL["keep_signature"], _SQL["keep_refusal"], _SQL["keep_roll"]
_OUTCOMES = _SQL.compose("outcomes_of", columns=_COLUMNS).as_bytes()
_NEW_REFUSALS = _SQL.compose("new_refusals", columns=_COLUMNS).as_bytes()
_REFUSALS = _SQL.compose("refusals", columns=_COLUMNS).as_bytes()
_LEFT_OUT = _SQL["refusals_left_out"]
_BROKEN_VERSIONS, _OUTCOMES_AHEAD = _SQL["broken_versions"], _SQL["outcomes_ahead"]
_TAKE_LEASE, _NOT_IDLE_FOR = _SQL["take_lease"], _SQL["not_idle_for"]


class SignedCheckpoint(NamedTuple):
    """A checkpoint that was signed: of which log, when, and the signed note."""

    log: str
    size: int
    root: bytes
    signed_at: datetime
    note: bytes


class StoredOutcome(NamedTuple):
    """An outcome as it stands in its table."""

    command_id: UUID
    command_type: str
    content_hash: bytes
    status: str
    first_position: int
    last_position: int
    reasons: Any
    content: bytes | None
    recorded_at: datetime
    principal: str | None

    def leaf(self) -> bytes:
        """Its leaf."""
        positions = self.first_position, self.last_position
        return outcome_leaf(*self[:4], positions, self.reasons, self.content, self.recorded_at, self.principal)


class Addition(NamedTuple):
    """The rows that one signing adds to a log."""

    growth: Sequence[Growth]
    checkpoint: SignedCheckpoint
    refusals: Sequence[tuple[int, UUID, datetime]] = ()
    rolls: Sequence[tuple[int, int, bytes]] = ()
    """Leaves of the log of rolls: index, size of the log of events, bytes."""


class TransparencyStore:
    """The transparency logs over one connection, which also holds the signer's lease."""

    def __init__(self, database: Database, role: Role = Role.NOTARY) -> None:
        """Raises DatabaseUnreachable, NotInitialised, RoleDenied."""
        self._connection = database.connect(role, autocommit=True)
        register(self._connection)
        self.rolls = RollStore(self._connection)

    def transaction(self) -> AbstractContextManager[object]:
        """What is done within is kept whole or not at all."""
        return self._connection.transaction()

    def take_lease(self) -> bool:
        """Try to take the signer's lease, which ends with the connection or when that idles too long; whether it is held."""
        self._connection.execute(_NOT_IDLE_FOR, (f"{IDLE_TIMEOUT_S}s",))
        return bool(self._connection.cursor(row_factory=scalar_row).execute(_TAKE_LEASE, (LEASE,)).fetchone())

    def logs(self) -> list[str]:
        """The names of all logs."""
        return [name for (name,) in self._connection.execute(_LOGS)]

    def last(self, log: str) -> SignedCheckpoint | None:
        """The checkpoint that was signed last."""
        row = self._connection.execute(_LAST, {"log": log}).fetchone()
        return SignedCheckpoint(*row) if row else None

    def covering(self, log: str, size: int) -> SignedCheckpoint | None:
        """The first checkpoint of so many leaves or more."""
        row = self._connection.execute(_AT_LEAST, {"log": log, "size": size}).fetchone()
        return SignedCheckpoint(*row) if row else None

    def checkpoints(self, log: str) -> list[SignedCheckpoint]:
        """All of them, by size."""
        return [SignedCheckpoint(*row) for row in self._connection.execute(_ALL, {"log": log})]

    def tile(self, log: str, tile: Tile) -> bytes:
        """The hashes of a tile: fewer than its width where they are not there without a gap."""
        rows = self._connection.execute(_TILE, {"log": log, "level": tile.level, "tile": tile.number})
        return _joined((first, hashes) for first, hashes in rows)[: tile.width * HASH_BYTES]

    def leaf_hashes(self, log: str, first: int, end: int) -> dict[int, bytes]:
        """The kept hashes of the leaves from `first` up to `end`, as far as there are any."""
        asked = {"log": log, "level": 0, "first": first // WIDTH, "end": -(-end // WIDTH)}
        kept: dict[int, bytes] = {}
        for tile, start, hashes in self._connection.execute(_TILES, asked, binary=True):
            for number in range(len(hashes) // HASH_BYTES):
                kept[tile * WIDTH + start + number] = bytes(hashes[number * HASH_BYTES : (number + 1) * HASH_BYTES])
        return kept

    def add(self, additions: Iterable[Addition]) -> None:
        """Keep what was signed, in ONE transaction."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for growth, checkpoint, refusals, rolls in additions:
                cursor.executemany(_KEEP_HASHES, [(checkpoint.log, *one) for one in growth])
                if refusals:
                    cursor.executemany(_KEEP_REFUSAL, [(checkpoint.log, *one) for one in refusals])
                if rolls:
                    cursor.executemany(_KEEP_ROLL, [(checkpoint.log, *one) for one in rolls])
                cursor.execute(_KEEP_CHECKPOINT, checkpoint._asdict())

    def sign_too(self, log: str, size: int, lines: Iterable[str]) -> None:
        """Keep further signatures of a checkpoint, each as its line in the note."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(_KEEP_SIGNATURE, [(log, size, line) for line in lines])

    def outcomes(self, ids: Collection[UUID]) -> dict[UUID, StoredOutcome]:
        """The outcomes of these commands, as far as there are any."""
        rows = self._connection.execute(_OUTCOMES, {"ids": Uuids(ids)})
        return {row[0]: StoredOutcome(*row) for row in rows}

    def new_refusals(self, log: str, limit: int) -> list[StoredOutcome]:
        """Outcomes without events that are not in the log, in the order in which they are to get there."""
        return [StoredOutcome(*row) for row in self._connection.execute(_NEW_REFUSALS, {"log": log, "limit": limit})]

    def refusals(self, log: str, first: int, limit: int) -> Iterator[tuple[int, UUID, StoredOutcome | None]]:
        """Those that are in the log: the index, whose outcome it was, and that outcome, if it is still there."""
        for index, wanted, *row in self._connection.execute(_REFUSALS, {"log": log, "first": first, "limit": limit}):
            yield index, wanted, None if row[0] is None else StoredOutcome(*row)

    def refusals_left_out(self, log: str, limit: int) -> list[tuple[UUID, datetime]]:
        """Outcomes without events that are older than the log, and not in it: somebody put them there."""
        return list(self._connection.execute(_LEFT_OUT, {"log": log, "limit": limit}))

    def broken_versions(self, upto: int, limit: int) -> list[tuple[UUID, int, int, int]]:
        """Streams whose versions have a gap: how many events, the first and the last version."""
        return list(self._connection.execute(_BROKEN_VERSIONS, {"upto": upto, "limit": limit}))

    def outcomes_ahead(self, limit: int) -> list[tuple[UUID, int, int]]:
        """Outcomes that name positions where no event is of their command."""
        return list(self._connection.execute(_OUTCOMES_AHEAD, {"limit": limit}))

    def close(self) -> None:
        """Give the connection back, and the lease with it."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _joined(rows: Iterable[tuple[int, bytes]]) -> bytes:
    kept = b""
    for first, hashes in rows:
        if first * HASH_BYTES != len(kept):
            break
        kept += bytes(hashes)
    return kept
