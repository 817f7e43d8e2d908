"""Copies a ledger into a folder: the events in segments that never change, everything else at one moment with the head.

Each run adds what is new; an interrupted run continues where it stopped. Read tables are not copied, as events rebuild them.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import fasteners  # type: ignore[import-untyped]
import psycopg
from psycopg import sql

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.recovery.backup_manifest import NAME, FilePart, Manifest, Point, Segment, begin, key_of, read, write
from ltc_events.recovery.sealed_files import SealedWriter
from ltc_events.store import Database, Role
from ltc_events.store.sql_files import Statements

SEGMENT_EVENTS = 20_000
KEEP = 7
LOG, HEAD = "events", "head"
_OURS = re.compile(r"[a-z0-9_]+-\d{12}-(\d{12}|\d{20})(\.part)?")
"""Names of files that runs make; nothing else in the folder is touched."""
LOCK = ".lock"
_KNOWN = (LOCK, f"{NAME}.part", "lost+found")
"""What may be in the folder before the first run has come as far as its manifest."""
_SQL = Statements(__name__)
Connection = psycopg.Connection[tuple[Any, ...]]


class OtherHistory(LtcError):
    """the backup in {folder} is of another history than the ledger: {what}"""

    remedy = "back up into a folder of its own; what this one holds may be all there is of what the ledger lost"


class NoFolderForBackup(LtcError):
    """{folder} is no folder for a backup: {reason}"""

    kind = Kind.USAGE
    remedy = "name an empty folder, one that a backup has made, or a new one in a folder that is there"


class BackupAtWork(LtcError):
    """somebody is writing to the backup in {folder}"""

    kind = Kind.UNAVAILABLE
    remedy = "wait until that has ended"


class BackedUp(NamedTuple):
    """The result of a run: the last position in the backup, and the numbers of new events and bytes."""

    head: int
    events: int
    size: int
    points: int


def back_up(
    database: Database,
    folder: Path,
    *,
    secret: str | None = None,
    keep: int = KEEP,
    report: Callable[[str], None] = lambda _: None,
    segment_events: int = SEGMENT_EVENTS,
) -> BackedUp:
    """Bring the backup in a folder up to the head and keep the newest `keep` points. With a `secret` it is encrypted.

    As the ledger's owner, or a login that is a member of pg_read_all_data. Raises NoFolderForBackup, OtherHistory,
    BackupAtWork, BackupKeyWrong, BackupDamaged.
    """
    _make(folder)
    lock = fasteners.InterProcessLock(folder / LOCK)
    if not lock.acquire(blocking=False):
        raise BackupAtWork(folder=folder)
    try:
        with database.connect(Role.OWNER, autocommit=True) as connection:
            return _Run(connection, folder, secret, report, segment_events).complete(keep)
    finally:
        lock.release()


def _make(folder: Path) -> None:
    """Check or create the folder: it must be empty or hold a backup, so that an unmounted disk is detected."""
    if folder.is_dir():
        others = [one.name for one in folder.iterdir() if one.name not in _KNOWN and not _OURS.fullmatch(one.name)]
        if others and not (folder / NAME).is_file():
            raise NoFolderForBackup(folder=folder, reason=f"it holds {min(others)}, which is no part of a backup")
    elif not folder.parent.is_dir():
        raise NoFolderForBackup(folder=folder, reason=f"{folder.parent} is not there")
    else:
        folder.mkdir(exist_ok=True, mode=0o700)


class _Run:
    def __init__(
        self, connection: Connection, folder: Path, secret: str | None, report: Callable[[str], None], segment_events: int
    ) -> None:
        self._connection, self._folder, self._report = connection, folder, report
        self._segment_events = segment_events
        ledger = str(self._one(_SQL["ledger"])[0])
        if (folder / NAME).exists():
            self.manifest, self._key = read(folder, secret)
            self._require_same(ledger)
        else:
            self.manifest = begin(ledger, secret)
            self._key = key_of(self.manifest, folder, secret)
        self._size = 0

    def complete(self, keep: int) -> BackedUp:
        """Write the segments up to the head, then the point."""
        before = self.manifest.last
        columns: dict[str, list[str]] = dict(self._connection.execute(_SQL["tables"]).fetchall())
        # First without a snapshot, which would hold up the server's housekeeping for as long as it takes.
        self._add_segments(columns[LOG], int(self._one(_SQL["head"])[0]))
        with self._connection.transaction():
            self._connection.execute(_SQL["snapshot"])
            head, recorded_at, taken_at = self._one(_SQL["head"])
            self._add_segments(columns[LOG], int(head))
            mark = f"{int(head):012d}-{taken_at:%Y%m%d%H%M%S%f}"
            tables = tuple(self._copy(f"{name}-{mark}", name, columns[name]) for name in columns if name not in (LOG, HEAD))
            point = Point(
                head=head,
                recorded_at=recorded_at.isoformat(),
                taken_at=taken_at.isoformat(),
                epoch=str(self._one(_SQL["epoch"])[0]),
                tables=tables,
            )
        points = (*self.manifest.points, point)[-keep:]
        self._keep(self.manifest.model_copy(update={"points": points}))
        self._remove_unknown()
        return BackedUp(self.manifest.last, self.manifest.last - before, self._size, len(points))

    def _add_segments(self, columns: Sequence[str], head: int) -> None:
        while (last := self.manifest.last) < head:
            end = min(last + self._segment_events, head)
            statement = _SQL.compose("copy_events", columns=_names(columns), first=last + 1, last=end)
            part = self._write(f"events-{last + 1:012d}-{end:012d}", LOG, columns, end - last, statement)
            witness = str(self._one(_SQL["witness"], end)[0])
            segment = Segment(**part.model_dump(), first=last + 1, last=end, witness=witness)
            self._keep(self.manifest.model_copy(update={"segments": (*self.manifest.segments, segment)}))
            self._report(f"{end} of {head} events")

    def _copy(self, name: str, table: str, columns: Sequence[str]) -> FilePart:
        where = sql.Identifier("ltc", table)
        ((rows,),) = self._connection.execute(_SQL.compose("count_table", table=where)).fetchall()
        return self._write(name, table, columns, rows, _SQL.compose("copy_table", columns=_names(columns), table=where))

    def _write(self, name: str, table: str, columns: Sequence[str], rows: int, statement: sql.Composed) -> FilePart:
        file = SealedWriter(self._folder / name, self._key)
        with file, self._connection.cursor() as cursor, cursor.copy(statement) as content:
            for part in content:
                file.write(bytes(part))
        self._size += file.seal.size
        return FilePart(file=name, table=table, columns=tuple(columns), rows=rows, size=file.seal.size, sha256=file.seal.sha256)

    def _keep(self, manifest: Manifest) -> None:
        write(self._folder, manifest, self._key)
        self.manifest = manifest

    def _require_same(self, ledger: str) -> None:
        known = self.manifest
        if known.ledger != ledger:
            raise OtherHistory(folder=self._folder, what=f"it is of the ledger {known.ledger}, and this is {ledger}")
        if known.segments:
            found = self._connection.execute(_SQL["witness"], (known.last,)).fetchone()
            if found is None:
                raise OtherHistory(folder=self._folder, what=f"it holds {known.last} events, and the ledger has fewer")
            if found[0] != known.segments[-1].witness:
                raise OtherHistory(folder=self._folder, what=f"the ledger has another event at position {known.last}")

    def _remove_unknown(self) -> None:
        """Remove the files of points no longer kept, and those of interrupted runs."""
        known = {NAME, LOCK, *(part.file for part in self.manifest.files())}
        for path in self._folder.iterdir():
            if path.name not in known and path.is_file() and _OURS.fullmatch(path.name):
                path.unlink()

    def _one(self, statement: bytes, *parameters: Any) -> tuple[Any, ...]:
        row = self._connection.execute(statement, parameters or None).fetchone()
        return row or (None,)


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
