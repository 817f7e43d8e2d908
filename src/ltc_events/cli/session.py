"""What every command of the line shares: the settings, and what they lead to, opened when first asked for."""

import logging
import os
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import typer
from psycopg.conninfo import make_conninfo

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.kernel.errors import LtcError
from ltc_events.store import Database, EventStore, Role, open_database
from ltc_events.store.embedded import default_home

if TYPE_CHECKING:
    from ltc_events.bus.topics import Bus


class NoBus(LtcError):
    """no Kafka is configured"""

    remedy = "set LTC_KAFKA_BOOTSTRAP or give --kafka-bootstrap host:port; `make broker` starts one on this machine"


class PasswordUnreadable(LtcError):
    """the database's password cannot be read from {file}: {reason}"""

    remedy = "give LTC_DATABASE_PASSWORD_FILE a file that this user may read"


@dataclass
class Session:
    """One run of the command line."""

    database_url: str | None = None
    database_password_file: Path | None = None
    home: Path = field(default_factory=default_home)
    kafka_bootstrap: str | None = None
    kafka_prefix: str = "ltc"
    stores: dict[Role, EventStore] = field(default_factory=dict)

    @cached_property
    def database(self) -> Database:
        """The database of the settings: LTC_DATABASE_URL, or the embedded server in LTC_HOME, laid out on first use."""
        embedded = not self.database_url
        database = open_database(self._conninfo(), self.home)
        if embedded:
            # Nobody administers the embedded server: a first command is all the set-up there is.
            database.initialise()
        return database

    def _conninfo(self) -> str | None:
        if not self.database_url or self.database_password_file is None:
            return self.database_url
        try:
            password = self.database_password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise PasswordUnreadable(file=self.database_password_file, reason=error) from error
        return make_conninfo(self.database_url, password=password)

    @property
    def bus(self) -> "Bus":
        """The bus of the settings. Raises NoBus."""
        from ltc_events.bus.topics import Bus

        if not self.kafka_bootstrap:
            raise NoBus
        return Bus(self.kafka_bootstrap, self.kafka_prefix)

    def store(self, role: Role) -> EventStore:
        """The event store, acting as `role`."""
        if role not in self.stores:
            self.stores[role] = EventStore(self.database, role)
        return self.stores[role]

    def pipeline(self, *, dry_run: bool = False) -> CommandPipeline:
        """The command pipeline on this store."""
        return CommandPipeline(self.store(Role.WRITER), SystemClock(), dry_run=dry_run)

    def close(self) -> None:
        """Close the connections."""
        for store in self.stores.values():
            store.close()


def session_of(context: typer.Context) -> Session:
    """The session of a running command."""
    session = context.find_root().obj
    if not isinstance(session, Session):
        raise TypeError("the command line was not started through its main callback")
    return session


def environment_of(context: typer.Context) -> dict[str, str]:
    """The environment in which another `ltc` has the same settings as this one, wherever they came from."""
    root = context.find_root()
    given = {
        str(option.envvar): str(root.params[option.name])
        for option in root.command.params
        if option.envvar and option.name and root.params.get(option.name) is not None
    }
    return {**os.environ, **given}


def configure_logging(log_format: str) -> None:
    """Logs go to stderr: for people on a terminal, else JSON lines (or as `log_format` says)."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.types.Processor = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
