"""The event store on PostgreSQL: where events, outcomes and offsets are kept, once and for good."""

from ltc_events.store.commit import Commit, DeadLetter, NewEvent, Offset, Reads
from ltc_events.store.database import Database, Role
from ltc_events.store.embedded import open_database
from ltc_events.store.errors import (
    CommandAlreadyRecorded,
    CommitUnknown,
    ConnectionLost,
    DatabaseTooOld,
    DatabaseUnreachable,
    EmbeddedServerFailed,
    HeadHeld,
    HeadMoved,
    NotInitialised,
    OffsetMoved,
    StaleRead,
    StoreError,
    UnknownEvent,
    UnreadableEvent,
    VersionConflict,
)
from ltc_events.store.event_store import EventStore

__all__ = [
    "CommandAlreadyRecorded",
    "Commit",
    "CommitUnknown",
    "ConnectionLost",
    "Database",
    "DatabaseTooOld",
    "DatabaseUnreachable",
    "DeadLetter",
    "EmbeddedServerFailed",
    "EventStore",
    "HeadHeld",
    "HeadMoved",
    "NewEvent",
    "NotInitialised",
    "Offset",
    "OffsetMoved",
    "Reads",
    "Role",
    "StaleRead",
    "StoreError",
    "UnknownEvent",
    "UnreadableEvent",
    "VersionConflict",
    "open_database",
]
