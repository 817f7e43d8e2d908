"""Vanished things: imported by earlier runs of a mapping and no longer named by any row; reported, or handled by a command."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.importing.changes import Constant, Following
from ltc_events.importing.comparison import Follower, Held
from ltc_events.importing.documents import Document
from ltc_events.importing.plan import Plan
from ltc_events.importing.reconciliation import RefusedRow, Vanished
from ltc_events.importing.rows import ImportRow
from ltc_events.importing.runs import mark_of
from ltc_events.schemas.base import EVENTS
from ltc_events.store.ledger_store import LedgerStore

_STREAMS = 500


Unmatched = dict[str, int]
"""How many rows joins left out, by cause: the table or step that has the join."""


class Sweep(NamedTuple):
    """What a look at the log found of a noun: what vanished, and the commands that take it as gone, of the step's `file`.

    With a `doubt` nothing is taken as gone: it may only not have been read.
    """

    noun: str
    file: str
    vanished: list[Vanished]
    documents: list[Document]
    doubt: RefusedRow | None


class Named:
    """What the rows of a run name, and how many could not be read so far that anybody knows what they name."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self.unknown = 0

    def add(self, id: str | None) -> None:
        """Take in what a row names; None: nobody knows."""
        if id is None:
            self.unknown += 1
        else:
            self._ids.add(UUID(id).int)

    def add_row(self, row: ImportRow) -> None:
        """Take in all that a row names, whatever becomes of it."""
        for id in row.unsent:
            self.add(id)
        for command in row.commands:
            self.add(command.document["subject"])
            self.add(command.document["partitionkey"])

    def __contains__(self, id: UUID) -> bool:
        return id.int in self._ids


def sweeps(store: LedgerStore, follower: Follower, owner: str, plan: Plan, named: Named, unmatched: Unmatched) -> Iterator[Sweep]:
    """What the mapping known as `owner` brought and `named` has not: each noun that a step looks for, once."""
    swept: set[str] = set()
    for step in (step for one in plan.passes for step in one.steps):
        following = step.following
        if following is not None and following.vanished is not None and following.noun not in swept:
            swept.add(following.noun)
            left_out = _left_out(plan, following.noun, unmatched)
            yield _sweep(store, follower, owner, following, named, step.file.file.path, left_out)


def _sweep(
    store: LedgerStore, follower: Follower, owner: str, following: Following, named: Named, file: str, left_out: int
) -> Sweep:
    types = [type for type in EVENTS if type.startswith(f"{following.noun}.")]
    vanished: list[Vanished] = []
    documents: list[Document] = []
    there = 0
    for id, held in _brought(store, follower, owner, following, types):
        if held.gone is not None or following.is_new(held.entry.state):
            continue
        there += 1
        if id in named:
            continue
        vanished.append(Vanished(following.noun, str(id), _name(held), held.records[0].position))
        if isinstance(following.vanished, Constant):
            document = follower.vanished(id, following, held)
            documents += [document] if document is not None else []
    doubt = _doubt(len(documents), there, named.unknown, left_out)
    told = None if doubt is None else RefusedRow(file, 0, "", "not_taken_as_gone", "", "", *doubt)
    return Sweep(following.noun, file, vanished, documents, told)


def _doubt(vanished: int, there: int, unknown: int, left_out: int) -> tuple[str, str] | None:
    """The reason why what vanished may only not have been read, and the fix."""
    if vanished and unknown:
        reason = f"{vanished} vanished, and {unknown} rows cannot be read: they may be among them"
        return reason, "mend the rows, and import again"
    if vanished and left_out:
        reason = f"{vanished} vanished, and joins left out {left_out} rows: they may be among them"
        return reason, "complete the file that they have no match in, or write LEFT JOIN, and import again"
    if vanished * 2 > there:
        reason = f"{vanished} of {there} vanished, which is more than are left"
        return reason, "look whether the export is whole; if it is, take them as gone in another way"
    return None


def _left_out(plan: Plan, noun: str, unmatched: Unmatched) -> int:
    """How many rows joins left out of the tables, or of the steps that name things of this noun first."""
    steps = ((step.file.file.path, step.following) for one in plan.passes for step in one.steps)
    found = ((path, following) for path, following in steps if following is not None and following.noun == noun)
    paths = [path for path, following in found if following.compares or following.vanished is not None]
    starts = ("by tables/", *(f"by {path}," for path in paths))
    return sum(rows for cause, rows in unmatched.items() if cause.startswith(starts))


def _brought(
    store: LedgerStore, follower: Follower, owner: str, following: Following, types: list[str]
) -> Iterator[tuple[UUID, Held]]:
    ids = iter(store.correlated_streams(mark_of(owner), types))
    while part := list(islice(ids, _STREAMS)):
        held = follower.held((id, following) for id in part)
        yield from ((id, held[id]) for id in part if id in held)


def _name(held: Held) -> str:
    """What a thing is called by the events that it began with."""
    for record in held.records:
        event: Any = record.event
        for found in (getattr(event, "title", None), getattr(getattr(event, "profile", None), "name", None)):
            if found:
                return str(found)
        references = getattr(event, "references", None)
        if references:
            return ", ".join(references.values())
    return ""
