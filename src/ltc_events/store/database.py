"""The database: connections in a role, and the layout of the ledger in it."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import scalar_row

from ltc_events.store.confidential import without_secrets
from ltc_events.store.conninfo import parse, password_of
from ltc_events.store.errors import (
    DatabaseTooOld,
    DatabaseUnreachable,
    LimitedReaderDenied,
    NotInitialised,
    RoleDenied,
    StoreError,
)
from ltc_events.store.queries import script

SERVER_VERSION_MIN = 15
CONNECT_TIMEOUT_S = 10
_IS_LIMITED = "SELECT coalesce(pg_has_role(session_user, to_regrole('ltc_limited_reader'), 'MEMBER'), false)"
# A session that died holding the head row would stop every writer: the server ends it for us.
IDLE_IN_TRANSACTION_TIMEOUT_S = 60
LOCK_TIMEOUT_S = 30
# A machine that vanished from the network is noticed after half a minute, and not after the system's two hours: by us, and by
# the server, where a writer that vanished amid its rows would hold the head row for so long.
KEEPALIVE = {"idle": 15, "interval": 5, "count": 3}
# One number for "somebody is laying out the ledger": concurrent initialisations queue up behind it.
_INITIALISE_LOCK = 0x6C7463

LEDGER_SCHEMA = "ltc"
_KEEPALIVE_OURS: dict[str, Any] = {f"keepalives_{name}": value for name, value in KEEPALIVE.items()}


class Role(StrEnum):
    """The database role of a connection, each with the privileges that its work needs and no more."""

    OWNER = "owner"
    WRITER = "ltc_writer"
    RELAY = "ltc_relay"
    PROJECTOR = "ltc_projector"
    READER = "ltc_reader"
    NOTARY = "ltc_notary"


def take_positions(head: str) -> str:
    """The SQL that creates the function which assigns positions from the head row of this name."""
    return f"take_{head}_positions"


def log_layout(schema: str, events: str, head: str) -> list[sql.Composed]:
    """The SQL that creates an event log with these names: the ledger's own, or one that tests make."""
    names = {"schema": schema, "events": events, "head": head}
    keys = {key: f"{events}_{key}" for key in ("stream_key", "position_key", "customer_index", "large_index")}
    keys["take_positions"] = take_positions(head)
    return [script("log", **names, **keys), script("append_only", schema=schema, table=events)]


def _unknown_cause() -> StoreError | None:
    return None


class Database:
    """One PostgreSQL database, reached by `conninfo` (a URL or a libpq connection string)."""

    def __init__(
        self,
        conninfo: str,
        password_file: Path | None = None,
        setting: str = "LTC_DATABASE",
        *,
        cause_of_failure: Callable[[], StoreError | None] = _unknown_cause,
    ) -> None:
        """With a `password_file`, the password is what that holds at each connection. Raises DatabaseUrlMalformed.

        `setting` is what the variables begin with that both come from: errors name them. `cause_of_failure` is called when a
        connection fails, and gives a more exact error than DatabaseUnreachable where the server's log has one. A database is
        handed to other processes, so this must be a function of a module, or a `partial` of one.
        """
        self._cause_of_failure = cause_of_failure
        self.conninfo = conninfo
        self._password_file = password_file
        self._setting = setting
        self._given = parse(conninfo, f"{setting}_URL")

    def conninfo_now(self) -> str:
        """How to connect now: passwords may have changed since the last time. Raises PasswordUnreadable."""
        now = (
            {}
            if self._password_file is None
            else {"password": password_of(self._password_file, f"{self._setting}_PASSWORD_FILE")}
        )
        return make_conninfo(**(_KEEPALIVE_OURS | self._given | now))

    def connect(self, role: Role, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
        """A new connection acting as `role`; raises DatabaseUnreachable, NotInitialised, RoleDenied, DatabaseTooOld.

        Of an embedded server, EmbeddedDiskFull in place of DatabaseUnreachable where its log ends with a full disk.
        """
        conninfo = self.conninfo_now()
        try:
            connection = psycopg.connect(
                conninfo,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name=f"ltc-events {role.removeprefix('ltc_')}",
            )
        except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
            # Without the cause: it shows no more, and a trace of it would.
            if cause := self._cause_of_failure():
                raise cause from None
            raise DatabaseUnreachable(setting=f"{self._setting}_URL", reason=without_secrets(str(error).strip())) from None
        with ExitStack() as undone:
            undone.callback(connection.close)
            self.prepare(connection, role)
            connection.autocommit = autocommit
            undone.pop_all()
        return connection

    def require_roles(self, roles: Sequence[Role]) -> None:
        """Raises RoleDenied, which names all of the roles that this login may not act as, and the errors of `connect`."""
        denied: list[RoleDenied] = []
        for role in roles:
            try:
                self.connect(role).close()
            except RoleDenied as error:
                denied.append(error)
        if denied:
            raise type(denied[0])(role=", ".join(error.details["role"] for error in denied))

    def initialise(self) -> None:
        """Create the ledger: schemas, tables, roles, grants. Idempotent."""
        with self.connect(Role.OWNER) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_INITIALISE_LOCK,))
            for part in (
                script("roles"),
                script("schema"),
                *log_layout(LEDGER_SCHEMA, "events", "head"),
                script("commands"),
                script("contiguous"),
                script("append_only", schema=LEDGER_SCHEMA, table="outcomes"),
                script("append_only", schema=LEDGER_SCHEMA, table="traces"),
                script("append_only", schema=LEDGER_SCHEMA, table="dead_letters"),
                script("append_only", schema=LEDGER_SCHEMA, table="dead_letter_steps"),
                script("epochs"),
                script("append_only", schema=LEDGER_SCHEMA, table="epochs"),
                script("append_only", schema=LEDGER_SCHEMA, table="expired_messages"),
                script("grants"),
                script("tlog"),
                script("append_only", schema=LEDGER_SCHEMA, table="tlog_hashes"),
                script("append_only", schema=LEDGER_SCHEMA, table="tlog_checkpoints"),
                script("append_only", schema=LEDGER_SCHEMA, table="tlog_signatures"),
                script("append_only", schema=LEDGER_SCHEMA, table="tlog_refusals"),
                script("append_only", schema=LEDGER_SCHEMA, table="tlog_rolls"),
                script("limited"),
            ):
                connection.execute(part)

    def prepare(self, connection: psycopg.Connection[Any], role: Role) -> None:
        """Make a connection (in autocommit mode) a session in `role`; raises NotInitialised, RoleDenied, DatabaseTooOld."""
        version = connection.info.server_version // 10_000
        if version < SERVER_VERSION_MIN:
            raise DatabaseTooOld(found=version, needed=SERVER_VERSION_MIN)
        session = sql.SQL(
            "SET TIME ZONE 'UTC'; SET client_min_messages = warning; SET lock_timeout = {lock};"
            "SET idle_in_transaction_session_timeout = {idle};"
        ).format(lock=sql.Literal(f"{LOCK_TIMEOUT_S}s"), idle=sql.Literal(f"{IDLE_IN_TRANSACTION_TIMEOUT_S}s"))
        for name, value in KEEPALIVE.items():
            session += sql.SQL("SET {} = {};").format(sql.Identifier(f"tcp_keepalives_{name}"), sql.Literal(value))
        if role is not Role.OWNER:
            session += sql.SQL("SET ROLE {role}").format(role=sql.Identifier(role.value))
        try:
            connection.execute(session)
        except (psycopg.errors.InvalidParameterValue, psycopg.errors.UndefinedObject) as error:
            raise NotInitialised from error  # the role does not exist
        except psycopg.errors.InsufficientPrivilege as error:
            # Whoever is told to be granted the group would see what the limit hides.
            limited = connection.cursor(row_factory=scalar_row).execute(_IS_LIMITED).fetchone()
            raise (LimitedReaderDenied if limited else RoleDenied)(role=role.value) from error
        # The roles are the server's: with a ledger in another of its databases they are there without ours.
        found = connection.cursor(row_factory=scalar_row).execute("SELECT to_regnamespace(%s) IS NOT NULL", (LEDGER_SCHEMA,))
        if role is not Role.OWNER and not found.fetchone():
            raise NotInitialised
