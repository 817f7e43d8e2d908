"""Imports dated exports as they come into a folder, each once and in the order of their dates.

The folder is looked at every few seconds: file systems of other machines tell nobody of changes. Which exports are imported the
ledger's database knows, as offsets of feeds: an export is a feed, read to its end. It knows so after the last command is stored.
An import that was cut off before begins again, and its commands have the ids that they had. Of several watches
one imports at a time.
"""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import structlog

from ltc_events.importing.changes import REPORT
from ltc_events.importing.errors import DataUnusable, ImportUnusable
from ltc_events.importing.exclusive import lock_of
from ltc_events.importing.exports import Digests, Export, Settling, exports, fingerprint, unsorted
from ltc_events.importing.mapping import Folder
from ltc_events.importing.reconciliation import Reconciliation
from ltc_events.importing.run import Progress, run_import
from ltc_events.importing.runs import owner_of
from ltc_events.kernel.clock import Clock
from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.kernel.principals import Principal
from ltc_events.store.commit import Offset
from ltc_events.store.errors import OffsetMoved
from ltc_events.store.event_store import EventStore

log = structlog.get_logger()

PROGRESS_EVERY_S = 10.0


class WatchOptions(NamedTuple):
    """How a folder is watched: it is scanned every `every_s` seconds; a file unchanged for `settle_s` seconds is complete.

    `stops`: end with an export that is refused, or with a total that differs; otherwise the next one is imported.
    `refused`: a folder for a CSV file of the refused rows of each export.
    """

    settle_s: float = 10.0
    every_s: float = 5.0
    stops: bool = False
    refused: Path | None = None


class TotalsDiffer(LtcError):
    """a control total of export {export} differs"""

    kind = Kind.REFUSED
    remedy = "see its reconciliation: import the file with `ltc import MAPPING --data FOLDER --dry-run`"


class ExportsLeft(LtcError):
    """not imported: {left}"""

    kind = Kind.REFUSED
    remedy = "complete or correct these exports, and begin again"


class _Cut(Exception):
    """The import is to end in its middle."""


class FolderWatch:
    """A watch of one folder: `step` does the next piece of work. `pause` waits; `is_stopping` ends an import amid its rows.

    `principal` sends the commands.
    """

    def __init__(
        self,
        mapping: Folder,
        folder: Path,
        store: EventStore,
        clock: Clock,
        options: WatchOptions,
        *,
        principal: Principal | None = None,
        pause: Callable[[float], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._mapping = mapping
        self._owner = owner_of(mapping.mapping)
        self._folder = folder
        self._store = store
        self._clock = clock
        self._principal = principal
        self._options = options
        self._pause = pause
        self._is_stopping = is_stopping
        self._settling = Settling(options.settle_s)
        self._digests = Digests()
        self._refused: dict[str, str] = {}
        """Why exports cannot be imported as they are, by their feeds."""
        self._lacks = self._told = ""
        self._look_at = 0.0

    def step(self) -> None:
        """Import the next export, or wait for at most a second. Raises ImportUnusable or TotalsDiffer where these end it."""
        left = self._look_at - time.monotonic()
        if left > 0:
            self._pause(min(left, 1.0))
        elif self.see_to_next() is not True:
            self._look_at = time.monotonic() + self._options.every_s

    def see_to_next(self) -> bool | None:
        """Import the next export; whether there was one. None: there is one that is not complete, and those behind it wait.

        So they do while another process imports with this mapping.
        """
        found = self._next()
        if not isinstance(found, Export):
            return found
        with closing(lock_of(self._store, self._owner)) as lock:
            if not lock.take():
                self._tell_waiting(found, ["another import of this mapping"])
                return None
            again = self._next()  # the other one may have imported it, and what comes behind it
            if again == found:
                self._import(found, self._feed(found), lock.take)
        return True

    def left(self) -> list[str]:
        """What was not imported, and why: exports that were refused as a whole, and one that lacks something."""
        return [*self._refused.values(), *([self._lacks] if self._lacks else [])]

    @property
    def lacks(self) -> str:
        """What the next export lacks, beside time; empty where it lacks nothing."""
        return self._lacks

    def _next(self) -> Export | bool | None:
        """The next export to import, or as `see_to_next`."""
        self._lacks = ""
        imported = self._imported()
        keys = {_key_of(feed) for feed in imported}
        for export in exports(self._mapping.mapping, self._folder):
            if export.missing and self._prefix + export.key in keys:
                continue  # files of it are taken away
            waits_for = list(export.missing)
            waits_for += [path.name for path in export.files.values() if not self._settling.is_settled(path)]
            if waits_for:
                self._tell_waiting(export, waits_for, lacks=bool(export.missing))
                return None
            try:
                feed = self._feed(export)
            except OSError as error:
                self._tell_waiting(export, [str(error)], lacks=True)
                return None
            if feed not in self._refused and feed not in imported:
                return export
        return False

    @property
    def _prefix(self) -> str:
        return f"import/{self._owner}/"

    def _feed(self, export: Export) -> str:
        """The feed that an export is. Raises OSError."""
        return f"{self._prefix}{export.key}@{self._digests.of(export)}"

    def _imported(self) -> set[str]:
        return self._store.feeds(self._prefix)

    def _tell_waiting(self, export: Export, waits_for: list[str], *, lacks: bool = False) -> None:
        told = f"{export.key}: {', '.join(waits_for)}"
        if lacks:
            self._lacks = f"{export.key} waits for {', '.join(waits_for)}"
        if told != self._told:
            self._told = told
            log.info("export_incomplete", export=export.key, waits_for=waits_for)

    def _import(self, export: Export, feed: str, take: Callable[[], bool]) -> None:
        before = {path: fingerprint(path) for path in export.files.values()}

        def require_unchanged() -> None:
            for path, known in before.items():
                if fingerprint(path) != known:
                    raise DataUnusable(file=path.name, problem="was written while it was read", fix="it is read again")

        log.info("export_begins", export=export.key, files=[path.name for path in export.files.values()])
        try:
            self._require_order(export)
            result = run_import(
                self._mapping.path,
                self._folder,
                self._store,
                self._clock,
                only=export.files,
                refused_csv=self._refused_csv(export),
                principal=self._principal,
                progress=ProgressLog(export.key, self._is_stopping, take),
                loaded=require_unchanged,
            )
        except _Cut:
            log.info("export_cut_off", export=export.key, fix="the next watch goes on with it")
            return
        except ImportUnusable as error:
            if any(fingerprint(path) != known for path, known in before.items()):
                return  # it is not the export that we looked at
            log.warning("export_refused", export=export.key, reason=str(error), fix=error.fix)
            if self._options.stops:
                raise
            self._refused[feed] = f"{export.key} is refused: {error}"
            return
        self._note(export, feed, result)

    def _require_order(self, export: Export) -> None:
        """Raises DataUnusable where the export could take the ledger back to what it was before a later one."""
        if not takes_back(self._mapping):
            return
        fix = "take it away; or import it by `ltc import` from a folder of its own, if what it says is to hold"
        problem = unsorted([one.key for one in exports(self._mapping.mapping, self._folder)])
        if problem is not None:
            fix = "name exports by dates that sort as text: 2024-02-29, 202402"
            raise DataUnusable(file=self._mapping.path.name, problem=problem, fix=fix)
        newest = max((_key_of(feed).removeprefix(self._prefix) for feed in self._imported()), default="")
        if export.key < newest:
            problem = f"{export.key} comes before {newest}, which is imported: it would take the ledger back"
            raise DataUnusable(file=self._mapping.path.name, problem=problem, fix=fix)

    def _note(self, export: Export, feed: str, result: Reconciliation) -> None:
        """Take an export as imported."""
        try:
            self._store.advance([Offset(feed, 0, 0, max(1, sum(file.rows for file in result.files)))])
        except OffsetMoved:
            log.info("export_imported_by_another", export=export.key)
        counts = {
            what: sum(getattr(one, what) for one in result.commands.values())
            for what in ("accepted", "unchanged", "duplicate", "refused", "not_sent")
        }
        told = {**counts, "refused": result.refused, "totals_agree": result.balanced}
        tell = log.info if result.balanced else log.warning
        tell("export_imported", export=export.key, run=result.run, rows=sum(file.rows for file in result.files), **told)
        if self._options.stops and not result.balanced:
            raise TotalsDiffer(export=export.key)

    def _refused_csv(self, export: Export) -> Path | None:
        if self._options.refused is None:
            return None
        return self._options.refused / f"{export.key.replace('/', '_') or 'export'}.refused.csv"


def takes_back(mapping: Folder) -> bool:
    """Whether an older export may change what a later one said, or take as gone what it has not yet.

    So it may even if changes are dated: what a later one brought first has the date when it began, not when it last changed.
    """
    return any(
        step.head.if_changed or (step.head.vanished is not None and step.head.vanished != REPORT) for step in mapping.steps
    )


def _key_of(feed: str) -> str:
    return feed.rpartition("@")[0]


class ProgressLog:
    """Logs the progress of an import every few seconds: rows done and left, and how many a second.

    `take` asks for the lock that is held, and raises ConnectionLost where it is lost.
    """

    def __init__(self, export: str, is_stopping: Callable[[], bool], take: Callable[[], bool]) -> None:
        self._export = export
        self._is_stopping = is_stopping
        self._take = take
        self._told_at, self._told = time.monotonic(), 0

    def __call__(self, reached: Progress) -> None:
        if self._is_stopping():
            raise _Cut
        self._take()
        seconds = time.monotonic() - self._told_at
        if seconds >= PROGRESS_EVERY_S:
            rate = round((reached.rows - self._told) / seconds)
            left = reached.rows_total - reached.rows
            log.info("progress", export=self._export, rows=reached.rows, left=left, rows_per_s=rate)
            self._told_at, self._told = time.monotonic(), reached.rows
