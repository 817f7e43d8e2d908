"""Restores a backup into an empty ledger, up to its newest point, a position or a time, in one transaction.

Each file is checked against its checksum before, and each appended event by the log's own guards.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.recovery.backup_manifest import FilePart, Manifest, Point, read
from ltc_events.recovery.sealed_files import BackupDamaged, check, content_of
from ltc_events.store import Database, Role
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)
_CUTS: dict[str, Callable[[sql.Identifier], sql.Composed]] = {
    "outcomes": lambda staging: _SQL.compose("cut_outcomes", staging=staging),
    "traces": lambda staging: _SQL.compose("cut_traces", staging=staging),
    "dead_letters": lambda staging: _SQL.compose("cut_dead_letters", staging=staging),
    "dead_letter_steps": lambda staging: _SQL.compose("cut_dead_letter_steps", staging=staging),
    "epochs": lambda staging: _SQL.compose("cut_epochs", staging=staging),
    "expired_messages": lambda staging: _SQL.compose("cut_expired_messages", staging=staging),
}
"""By table what goes of it where the ledger is to be as it was before the point."""
Connection = psycopg.Connection[tuple[Any, ...]]


class LedgerNotEmpty(LtcError):
    """the database holds a ledger already"""

    remedy = "restore into an empty database, and let the workers use that; what is there is left as it is"


class BackupTooNew(LtcError):
    """the backup holds {what}, of which this version knows nothing"""

    kind = Kind.USAGE
    remedy = "restore it with the version that wrote it, or a newer one"


class NotInBackup(LtcError):
    """the backup does not reach {wanted}: it goes from the beginning to position {last}, of {taken_at}"""

    kind = Kind.USAGE
    remedy = "name a position or a moment that lies before, or leave --to out"


class Restored(NamedTuple):
    """The result of a restore: the position, its recording time, and the time of the command offsets."""

    head: int
    recorded_at: datetime | None
    offsets_of: int


def verify(folder: Path, *, secret: str | None = None) -> Manifest:
    """Check that all files are complete, undamaged and readable. Raises BackupDamaged, BackupKeyWrong, NoBackup."""
    manifest, key = read(folder, secret)
    expected = 1
    for segment in manifest.segments:
        if segment.first != expected:
            raise BackupDamaged(
                file=folder / segment.file, reason=f"the events from position {expected} on are missing before it"
            )
        expected = segment.last + 1
    if any(point.head > manifest.last for point in manifest.points):
        raise BackupDamaged(file=folder, reason="the events before its last point are missing")
    for part in manifest.files():
        check(folder / part.file, part.seal)
        for _ in content_of(folder / part.file, key):
            pass
    return manifest


def restore(
    database: Database,
    folder: Path,
    *,
    to: int | datetime | None = None,
    secret: str | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Restore a backup into a database without a ledger, or with an empty one. As the owner.

    `to` is a position (the command that it is amid goes as a whole) or a moment in time; by default the newest point. Offsets of
    feeds are those of the last point before: what was consumed since is taken again, and has its one effect. Raises what `verify`
    does, LedgerNotEmpty, BackupTooNew, NotInBackup.
    """
    report("checking all files")
    manifest = verify(folder, secret=secret)
    if not manifest.points:
        raise NotInBackup(wanted="a point at which everything was copied", last=manifest.last, taken_at="none")
    _, key = read(folder, secret)
    database.initialise()
    with database.connect(Role.OWNER) as connection:
        connection.execute(_SQL["lock"])
        ((is_empty,),) = connection.execute(_SQL["is_empty"]).fetchall()
        if not is_empty:
            raise LedgerNotEmpty
        return _Restoration(connection, folder, key, manifest, report).run(to)


class _Restoration:
    def __init__(
        self, connection: Connection, folder: Path, key: bytes | None, manifest: Manifest, report: Callable[[str], None]
    ) -> None:
        self._connection, self._folder, self._key, self._manifest, self._report = connection, folder, key, manifest, report
        self._known = {name: set(columns) for name, columns in connection.execute(_SQL["tables"]).fetchall()}
        self._count = 0

    def run(self, to: int | datetime | None) -> Restored:
        newest = self._manifest.points[-1]
        if isinstance(to, int) and not 0 <= to <= newest.head:
            raise NotInBackup(wanted=f"position {to}", last=newest.head, taken_at=newest.taken_at)
        if isinstance(to, datetime) and to > datetime.fromisoformat(newest.taken_at):
            raise NotInBackup(wanted=to.isoformat(), last=newest.head, taken_at=newest.taken_at)
        position = newest.head if to is None else self._position_of(to)
        # All that was known then is in the first point behind it; what offsets were, in the last one before.
        holder = next(point for point in self._manifest.points if point.head >= position)
        if to is None:
            holder = newest
        begin = self._command_begin(holder, position)
        position = position if begin is None else begin - 1
        recorded_at = self._append_events(position)
        exact = holder.head == position and not isinstance(to, datetime)
        if exact:
            moment = datetime.fromisoformat(holder.recorded_at)
            self._connection.execute(_SQL["move_head"], {"position": position, "recorded_at": moment})
        before = holder if exact else next((one for one in reversed(self._manifest.points) if one.head <= position), None)
        for part in holder.tables:
            self._fill(part, None if exact else (position, recorded_at), before)
        return Restored(position, recorded_at, before.head if before else 0)

    def _position_of(self, to: int | datetime) -> int:
        if isinstance(to, int):
            return to
        position = 0
        for segment in self._manifest.segments:
            with self._staged(segment) as staging:
                statement = _SQL.compose("position_at", staging=staging)
                ((found,),) = self._connection.execute(statement, {"moment": to}).fetchall()
            if found is None:
                break
            position = int(found)
            if position < segment.last:
                break
        return position

    def _command_begin(self, point: Point, position: int) -> int | None:
        part = next(one for one in point.tables if one.table == "outcomes")
        with self._staged(part) as staging:
            statement = _SQL.compose("command_begin", staging=staging)
            ((begin,),) = self._connection.execute(statement, {"position": position}).fetchall()
        return None if begin is None else int(begin)

    def _append_events(self, position: int) -> datetime | None:
        recorded_at: datetime | None = None
        for segment in self._manifest.segments:
            if segment.first > position:
                break
            staging = self._stage(segment)
            columns = _names(segment.columns)
            at = {"position": position}
            ((last, recorded_at, rows),) = self._connection.execute(_SQL.compose("last_of", staging=staging), at).fetchall()
            if rows != min(segment.last, position) - segment.first + 1:
                raise BackupDamaged(file=self._folder / segment.file, reason=f"it holds {rows} events of its positions")
            self._connection.execute(_SQL["move_head"], {"position": last, "recorded_at": recorded_at})
            self._connection.execute(_SQL.compose("append_events", columns=columns, staging=staging), at)
            self._connection.execute(sql.SQL("DROP TABLE {}").format(staging))
            self._report(f"{last} of {position} events")
        return recorded_at

    def _fill(self, part: FilePart, cut: tuple[int, datetime | None] | None, offsets_of: Point | None) -> None:
        table = sql.Identifier("ltc", part.table)
        if part.table == "offsets" and cut is not None:
            found = next((one for one in offsets_of.tables if one.table == "offsets"), None) if offsets_of else None
            if found is None:
                return
            part = found
        staging = self._stage(part)
        if cut is not None and part.table in _CUTS:
            # Before the first event there was no moment: nothing had happened.
            moment = cut[1] or datetime.min.replace(tzinfo=UTC)
            self._connection.execute(_CUTS[part.table](staging), {"position": cut[0], "recorded_at": moment})
        guards = self._guards(part.table)
        for guard in guards:  # laying out has put the first epoch there, of which this is not a continuation
            self._connection.execute(_SQL.compose("disable_guard", table=table, guard=guard))
        self._connection.execute(_SQL.compose("empty", table=table))
        columns = _names(part.columns)
        self._connection.execute(_SQL.compose("fill", table=table, columns=columns, staging=staging))
        for guard in guards:
            self._connection.execute(_SQL.compose("enable_guard", table=table, guard=guard))
        self._connection.execute(sql.SQL("DROP TABLE {}").format(staging))
        name = f"ltc.{part.table}"
        for column, sequence in self._connection.execute(_SQL.compose("counters", table=name)).fetchall():
            values = {"sequence": sequence, "column": sql.Identifier(column), "table": table}
            self._connection.execute(_SQL.compose("set_counter", **values))

    def _guards(self, table: str) -> list[sql.Identifier]:
        rows = self._connection.execute(_SQL.compose("guards", table=f"ltc.{table}")).fetchall()
        return [sql.Identifier(name) for (name,) in rows]

    @contextmanager
    def _staged(self, part: FilePart) -> Iterator[sql.Identifier]:
        """A temporary table with the rows of a file, while the block runs."""
        staging = self._stage(part)
        yield staging
        self._connection.execute(sql.SQL("DROP TABLE {}").format(staging))

    def _stage(self, part: FilePart) -> sql.Identifier:
        """Load the rows of a file into a temporary table of this transaction."""
        unknown = {*part.columns} - self._known.get(part.table, set())
        if unknown:
            raise BackupTooNew(what=f"the columns {', '.join(sorted(unknown))} of {part.table}")
        self._count += 1
        staging = sql.Identifier(f"restored_{self._count}")
        self._connection.execute(_SQL.compose("staging", staging=staging, table=sql.Identifier("ltc", part.table)))
        statement = _SQL.compose("copy", table=staging, columns=_names(part.columns))
        try:
            with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                for content in content_of(self._folder / part.file, self._key):
                    copy.write(content)
        except psycopg.DataError as error:
            raise BackupDamaged(file=self._folder / part.file, reason="its rows cannot be read") from error
        return staging


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
