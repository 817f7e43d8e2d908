"""The services of the settings, opened on first use: database, stores, pipeline, command service, bus."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from ltc_events.bootstrap.settings import Settings, local_user
from ltc_events.kernel.errors import LtcError
from ltc_events.kernel.principals import Principal, PrincipalKind
from ltc_events.store.database import Database, Role
from ltc_events.store.embedded import open_database

if TYPE_CHECKING:
    from ltc_events.application.command_service import CommandService
    from ltc_events.application.pipeline import CommandPipeline
    from ltc_events.bus.topics import Bus
    from ltc_events.store.event_store import EventStore

S = TypeVar("S")


class NoBus(LtcError):
    """no Kafka is configured"""

    remedy = "set LTC_KAFKA_BOOTSTRAP or give --kafka-bootstrap host:port; `make broker` starts one on this machine"


class Services:
    """The services of one process. Not thread-safe, except for its command service."""

    def __init__(self, settings: Settings, database: Database | None = None) -> None:
        """`database` replaces that of the settings."""
        self.settings = settings
        self._database = database
        self._stores: dict[Role, EventStore] = {}
        self._reading: Database | None = None
        self._reading_store: EventStore | None = None

    @property
    def database(self) -> Database:
        """The database of the settings, or the embedded server, laid out on first use. Raises StoreError."""
        if self._database is None:
            self._database = open_database(self._url, self.settings.home, self.settings.database_password_file)
            if self.is_embedded:
                # Nobody administers the embedded server: a first command is all the set-up there is.
                self._database.initialise()
        return self._database

    @property
    def reading(self) -> Database:
        """The database for reports and queries: that at `reader_url`, such as a standby, else `database`. Raises StoreError."""
        if self.settings.reader_url is None:
            return self.database
        if self._reading is None:
            url = self.settings.reader_url.get_secret_value()
            self._reading = Database(url, self.settings.reader_password_file, "LTC_READER")
        return self._reading

    @property
    def is_embedded(self) -> bool:
        """Whether the database is the embedded server's."""
        return not self._url

    @property
    def _url(self) -> str:
        url = self.settings.database_url
        return url.get_secret_value() if url else ""

    @property
    def has_bus(self) -> bool:
        """Whether a Kafka is configured."""
        return bool(self.settings.kafka_bootstrap)

    @property
    def bus(self) -> "Bus":
        """The bus of the settings. Raises NoBus, SettingInvalid."""
        from ltc_events.bootstrap.kafka_security import security_of
        from ltc_events.bus.topics import Bus

        if not self.settings.kafka_bootstrap:
            raise NoBus
        return Bus(
            self.settings.kafka_bootstrap,
            self.settings.kafka_prefix,
            security_of(self.settings),
            self.settings.kafka_source or "",
        )

    def store(self, role: Role) -> "EventStore":
        """The event store, acting as `role`; the same each time, and closed with the services."""
        if role not in self._stores:
            self._stores[role] = open_store(self.database, role)
        return self._stores[role]

    def reading_store(self) -> "EventStore":
        """The event store of `reading`, acting as the projector; the same each time, and closed with the services."""
        if self.settings.reader_url is None:
            return self.store(Role.PROJECTOR)
        if self._reading_store is None:
            self._reading_store = open_store(self.reading, Role.PROJECTOR)
        return self._reading_store

    def pipeline(self) -> "CommandPipeline":
        """A command pipeline on the writer's store, with a cache of its own; what it is given, `principal` sends."""
        return _pipeline(self.store(Role.WRITER), self.principal)

    @property
    def principal(self) -> Principal:
        """Who uses these services: the local user where the ledger is embedded, else the login at the database."""
        name = local_user() if self.is_embedded else self.store(Role.WRITER).login()
        return Principal(PrincipalKind.USER, name)

    def command_service(self, **limits: Any) -> "AbstractContextManager[CommandService]":
        """A pipeline for many threads, open during the block. `limits`: those of `open_command_service`."""
        from ltc_events.application.clock import SystemClock
        from ltc_events.application.command_service import open_command_service

        return open_command_service(self.database, SystemClock(), principal=self.principal, **limits)

    def close(self) -> None:
        """Close the connections."""
        for store in self._stores.values():
            store.close()
        self._stores.clear()
        if self._reading_store is not None:
            self._reading_store.close()
            self._reading_store = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@overload
def open_store(database: Database, role: Role) -> "EventStore": ...


@overload
def open_store(database: Database, role: Role, of: type[S]) -> S: ...


def open_store(database: Database, role: Role, of: Any = None) -> Any:
    """An event store with connections of its own, for those who have a database already; close it, or use it in `with`.

    `of`: the kind of store, by default EventStore. Raises StoreError.
    """
    from ltc_events.store.event_store import EventStore

    return (of or EventStore)(database, role)


@contextmanager
def open_pipeline(database: Database, *, principal: Principal | None = None) -> "Iterator[CommandPipeline]":
    """A command pipeline on a store of its own, which is closed at the end of the block; `principal` sends what it is given."""
    with open_store(database, Role.WRITER) as store:
        yield _pipeline(store, principal)


def _pipeline(store: "EventStore", principal: Principal | None) -> "CommandPipeline":
    from ltc_events.application.clock import SystemClock
    from ltc_events.application.pipeline import CommandPipeline

    return CommandPipeline(store, SystemClock(), principal=principal)
