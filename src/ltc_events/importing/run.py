"""Runs an import: loads the sources, computes commands, sends them, and reconciles the result with the source."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from ltc_events.application.pipeline import CommandPipeline
from ltc_events.importing.comparison import Compared, Follower
from ltc_events.importing.counts import Counts
from ltc_events.importing.ledger import EventTotal, LedgerTotals
from ltc_events.importing.mapping import MAPPING_FILE
from ltc_events.importing.origin import Origin
from ltc_events.importing.plan import Plan, prepare
from ltc_events.importing.reconciliation import Reconciliation
from ltc_events.importing.refusals import RefusedFile
from ltc_events.importing.rows import ImportRow, load_all, plain, rows_of, subjects_of, survey, unmatched_rows
from ltc_events.importing.runs import owner_of, run_id
from ltc_events.importing.sending import Sender
from ltc_events.importing.sources import Unreadable
from ltc_events.importing.state_totals import add_states
from ltc_events.importing.vanished import Named, Unmatched, sweeps
from ltc_events.kernel.clock import Clock
from ltc_events.kernel.collector import collections_rare
from ltc_events.kernel.principals import Principal
from ltc_events.store.ledger_store import LedgerStore
from ltc_events.store.rehearsal import Rehearsal


class Progress(NamedTuple):
    """The progress of an import: rows done and in total, over all passes, and commands sent.

    `rows_total` is 0 as long as files are read, and tables and commands made: `file` is then the one that begins.
    """

    file: str
    rows: int
    rows_total: int
    commands: int


Report = Callable[[Progress], None]


def run_import(
    mapping: Path,
    folder: Path,
    store: LedgerStore,
    clock: Clock,
    *,
    dry_run: bool = False,
    refused_csv: Path | None = None,
    retry: str = "",
    progress: Report | None = None,
    principal: Principal | None = None,
    only: Mapping[str, Path] | None = None,
    loaded: Callable[[], None] | None = None,
) -> Reconciliation:
    """Import the files of `folder` as the mapping in the folder `mapping` says; `principal` sends the commands.

    Importing twice changes nothing, and an import that was interrupted goes on where it was: commands have ids that follow
    from what they say. With `dry_run` all is read and decided, and nothing is stored. Refused rows are listed in the result,
    and all of them in the file `refused_csv`. A command that was refused stays refused; with `retry` (a name for the attempt)
    those refused earlier are sent once more. Of the sources in `only`, folders of dated exports, one file is read. `loaded` is
    called when all is read and nothing sent yet. Raises MappingInvalid or DataUnusable before anything is done.
    """
    with ExitStack() as stack:
        stack.enter_context(collections_rare())
        plan = prepare(mapping.parent if mapping.name == MAPPING_FILE else mapping, folder, stack, only)
        result = Reconciliation(plan.folder.mapping.name, dry_run)
        counts = Counts(plan, result, RefusedFile(refused_csv, stack))
        ledger = stack.enter_context(Rehearsal(store)) if dry_run else store
        run = run_id(owner_of(plan.folder.mapping), clock.now(), secrets.randbits(12))
        result.run = "" if dry_run else str(run)
        _Run(plan, ledger, clock, run, counts, retry, progress, principal).run(result, loaded)
        return result


class _Run:
    def __init__(
        self,
        plan: Plan,
        store: LedgerStore,
        clock: Clock,
        run: UUID,
        counts: Counts,
        retry: str,
        progress: Report | None,
        principal: Principal | None,
    ) -> None:
        self._plan = plan
        self._store = store
        self._counts = counts
        self._progress = progress
        self._named = Named()
        steps = (step for one in plan.passes for step in one.steps)
        self._is_swept = any(step.following is not None and step.following.vanished is not None for step in steps)
        self._follower = Follower(store, clock, plan.envelope, owner_of(plan.folder.mapping), principal)
        controls = zip(plan.controls, counts.controls, strict=True)
        of_run = [(one.ledger, total) for one, total in controls if one.section.against == "import"]
        totals = LedgerTotals(store, [(one, total) for one, total in of_run if isinstance(one, EventTotal)])
        self._sender = Sender(CommandPipeline(store, clock, principal=principal), self._follower, counts, totals, run, retry)
        self._once: dict[str, set[int]] = {}
        self._rows = self._rows_total = self._group = 0
        self._file = ""

    def run(self, result: Reconciliation, loaded: Callable[[], None] | None) -> None:
        """Run the whole import."""
        plan, counts = self._plan, self._counts
        unmatched = self._load()
        survey(plan, counts.controls)
        if loaded is not None:
            loaded()
        self._rows_total = sum(plan.source_of[one.rows].rows for one in plan.passes if one.rows)
        for document in plan.policies:
            self._sender.send(Origin("policies", 0, document))
        for number in range(len(plan.passes)):
            for row in rows_of(plan, number):
                self._row(row)
            self._sender.flush()  # what a pass compares with the ledger has what the passes before it brought
        self._sweep(result, unmatched)
        self._report(self._file)
        counts.finish()
        for control, total in zip(plan.controls, counts.controls, strict=True):
            if control.section.against == "ledger":
                add_states(self._store, control.ledger, total, subjects_of(plan, control))
            total.ledger = plain(total.ledger, 2 if control.section.sum else 0)

    def _load(self) -> Unmatched:
        def unreadable(row: Unreadable) -> None:
            self._named.add(None)
            self._counts.unreadable(row)

        rows = load_all(self._plan, unreadable, self._report)
        unmatched = unmatched_rows(self._plan)
        self._counts.loaded(rows, unmatched)
        return {cause: count for _, cause, count in unmatched}

    def _row(self, row: ImportRow) -> None:
        self._rows += row.number is not None
        if self._is_swept:
            self._named.add_row(row)
        self._group += 1
        if row.refused:
            self._counts.refused(row)
            return
        self._counts.skipped(row)
        for step, document, said in row.commands:
            if step.file.head.once:
                known, subject = self._once.setdefault(step.type, set()), UUID(document["subject"]).int
                if subject in known:
                    continue
                known.add(subject)
            group = self._group if row.number is not None and step.file.head.on_refusal == "stop row" else None
            following = step.following
            compared = None if said is None or following is None or not following.asks else Compared(following, said)
            origin = Origin(row.file, row.line, document, row.number, group, compared)
            if self._counts.is_refused(row.number):
                self._counts.hold_back(origin, "a command")
                continue
            self._file = row.file
            if self._sender.send(origin):
                self._report(row.file)
        self._counts.used(row)

    def _sweep(self, result: Reconciliation, unmatched: Unmatched) -> None:
        """What no row names any more, where steps look for it."""
        owner = owner_of(self._plan.folder.mapping)
        for found in sweeps(self._store, self._follower, owner, self._plan, self._named, unmatched):
            result.vanish(found.noun, found.vanished)
            if found.doubt is not None:
                self._counts.list(found.doubt)
                continue
            for document in found.documents:
                self._sender.send(Origin(found.file, 0, document))
        self._sender.flush()

    def _report(self, file: str) -> None:
        if self._progress is not None:
            self._progress(Progress(file, self._rows, self._rows_total, self._sender.sent))
