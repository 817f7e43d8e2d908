"""Folding the store into one table of a projection, as quickly as it goes: the engine that also follows live."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg

from ltc_events.projections.base import Operation, Projection
from ltc_events.projections.errors import CheckpointMoved, FoldStopped
from ltc_events.projections.fold import operations
from ltc_events.projections.naming import Connection
from ltc_events.projections.paging import Log, middle, pages
from ltc_events.projections.runner import rare_collections
from ltc_events.projections.track import PARTITION, SOURCE
from ltc_events.projections.writer import Writer
from ltc_events.schemas.record import Record

# Larger pages were seen to be slower: what is read then leaves the processor's caches before it is folded and written.
FILL_EVENTS = 5_000


class Filler:
    """Takes one table along the store, each page in one transaction with its checkpoint. Not to be shared by threads."""

    def __init__(self, log: Log, connection: Connection, projection: type[Projection], *, page_events: int = FILL_EVENTS) -> None:
        self._log = log
        self._projection = projection()
        self._writer = Writer(connection, projection, source=SOURCE, partition=PARTITION)
        self._page_events = page_events

    def fill(self, after: int, upto: int, arrived: Callable[[int], None] | None = None) -> None:
        """From the position `after` to `upto`; while one page is written, the next is read and folded.

        `arrived(position)` is called after each page, when it is written and no page is being written. Raises FoldStopped
        with the event that stands in the way, and CheckpointMoved when somebody else writes the table.
        """
        with rare_collections(), ThreadPoolExecutor(max_workers=1, thread_name_prefix="ltc-fill") as thread:
            writing: Future[None] | None = None
            for records, position in pages(self._log, after, upto, self._projection.types, self._page_events):
                batch = self._fold(records)
                if writing:
                    writing.result()
                    if arrived:
                        arrived(after)
                writing = thread.submit(self._write, records, batch, after, position)
                after = position
            if writing:
                writing.result()
                if arrived:
                    arrived(after)

    def _fold(self, records: Sequence[Record]) -> list[Operation] | None:
        try:
            return operations(self._projection, records)
        except Exception:  # noqa: BLE001 - which event it was is found when the page is written: those before it come first
            return None

    def _write(self, records: Sequence[Record], batch: list[Operation] | None, after: int, position: int) -> None:
        try:
            known = operations(self._projection, records) if batch is None else batch
            self._writer.write(known, expected=after, position=position)
        except (psycopg.OperationalError, psycopg.InterfaceError, CheckpointMoved):
            raise
        except Exception as error:
            half = middle(records)
            if half is None:
                raise FoldStopped(
                    projection=self._projection.place(),
                    event=records[0].event.type,
                    position=records[0].position,
                    cause=f"{type(error).__name__}: {error}",
                ) from error
            self._write([record for record in records if record.position < half], None, after, half - 1)
            self._write([record for record in records if record.position >= half], None, half - 1, position)
