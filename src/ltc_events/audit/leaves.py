"""The leaves of the logs: events in the order of positions, outcomes of their commands, and outcomes without events."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from ltc_events.proofs.leaf import SCHEMA, canonical
from ltc_events.schemas.record import RawRecord
from ltc_events.store.event_store import EventStore
from ltc_events.store.transparency import StoredOutcome, TransparencyStore

PAGE_EVENTS = 2_000
NOBODY = UUID(int=0)
"""The command of events that came from no command."""


class BegunCommand(NamedTuple):
    """A command, and the position of its first event."""

    id: UUID
    first_position: int


def read_events(store: EventStore, after: int, upto: int, limit: int = PAGE_EVENTS) -> list[RawRecord]:
    """The next events that fit into one read, up to and including the position `upto`."""
    end = min(after + limit, upto)
    return store.read_raw(after, limit, upto=store.readable(after, end)) if end > after else []


def commands_begun(events: Iterable[RawRecord], previous: UUID | None) -> list[BegunCommand]:
    """The commands whose first event is among these, which are adjacent; `previous` is the command of the event before."""
    begun = []
    for event in events:
        if event.command_id != previous and event.command_id != NOBODY:
            begun.append(BegunCommand(event.command_id, event.position))
        previous = event.command_id
    return begun


def outcome_leaves(store: TransparencyStore, commands: Sequence[BegunCommand]) -> list[bytes]:
    """A leaf for each command: its outcome, or the mark that it has none."""
    found = store.outcomes([one.id for one in commands]) if commands else {}
    return [stated(one, found.get(one.id)) for one in commands]


def stated(command: BegunCommand, outcome: StoredOutcome | None) -> bytes:
    """The leaf of a command that has events."""
    if outcome is not None:
        return outcome.leaf()
    return canonical({"command": str(command.id), "first": command.first_position, "status": None, "v": SCHEMA})
