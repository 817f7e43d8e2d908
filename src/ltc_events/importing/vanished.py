"""Vanished things: imported by earlier runs of a mapping and no longer named by any row; reported, or handled by a command."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.importing.changes import Constant, Following
from ltc_events.importing.comparison import Follower, Held
from ltc_events.importing.documents import Document
from ltc_events.importing.reconciliation import Vanished
from ltc_events.importing.runs import mark_of
from ltc_events.schemas.base import EVENTS
from ltc_events.store.event_store import EventStore

_STREAMS = 500


class Sweep(NamedTuple):
    """What a look at the log found: what vanished, of how many that were there, and the commands that take it as gone."""

    vanished: list[Vanished]
    there: int
    documents: list[Document]


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

    def __contains__(self, id: UUID) -> bool:
        return id.int in self._ids


def sweep(store: EventStore, follower: Follower, owner: str, following: Following, named: Named) -> Sweep:
    """Look through the log, once, for what the mapping of this name brought of a noun and `named` has not."""
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
    return Sweep(vanished, there, documents)


def _brought(
    store: EventStore, follower: Follower, owner: str, following: Following, types: list[str]
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
