"""The event store on PostgreSQL: an append-only log of events with the outcomes of commands and consumed offsets.

Names are imported on first use, so that a program that only reads tables does not load what writes the log.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltc_events.store.commit import Commit, DeadLetter, NewEvent, Offset, Reads
    from ltc_events.store.database import Database, Role
    from ltc_events.store.embedded import open_database
    from ltc_events.store.errors import (
        CommandAlreadyRecorded,
        CommitUnknown,
        ConnectionLost,
        DatabaseTooOld,
        DatabaseUnreachable,
        DatabaseUrlMalformed,
        EmbeddedServerFailed,
        EpochOver,
        HeadHeld,
        HeadMoved,
        NotInitialised,
        OffsetMoved,
        PasswordUnreadable,
        RoleDenied,
        StaleRead,
        StoreError,
        StoreWentBack,
        UnknownEvent,
        UnreadableEvent,
        VersionConflict,
    )
    from ltc_events.store.event_store import EventStore
    from ltc_events.store.sqlstate import TROUBLE, Diagnosis, Fault, diagnose, is_connection_gone, is_events_own, waits

__all__ = [
    "TROUBLE",
    "CommandAlreadyRecorded",
    "Commit",
    "CommitUnknown",
    "ConnectionLost",
    "Database",
    "DatabaseTooOld",
    "DatabaseUnreachable",
    "DatabaseUrlMalformed",
    "DeadLetter",
    "Diagnosis",
    "EmbeddedServerFailed",
    "EpochOver",
    "EventStore",
    "Fault",
    "HeadHeld",
    "HeadMoved",
    "NewEvent",
    "NotInitialised",
    "Offset",
    "OffsetMoved",
    "PasswordUnreadable",
    "Reads",
    "Role",
    "RoleDenied",
    "StaleRead",
    "StoreError",
    "StoreWentBack",
    "UnknownEvent",
    "UnreadableEvent",
    "VersionConflict",
    "diagnose",
    "is_connection_gone",
    "is_events_own",
    "open_database",
    "waits",
]
_LIGHTEST_FIRST = ("errors", "database", "sqlstate", "commit", "embedded", "event_store")


def __getattr__(name: str) -> Any:
    """The name, from the module that has it."""
    if name in __all__:
        for module in _LIGHTEST_FIRST:
            found = import_module(f"{__name__}.{module}")
            if name in vars(found):
                globals()[name] = vars(found)[name]
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
