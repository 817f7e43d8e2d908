"""Limits of logins to some customers, stored in the ledger and set by its owner."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.projections.catalog.installed_tables import shown_builds
from ltc_events.projections.catalog.limited_views import LIMITED_READER, limit_view
from ltc_events.store import Database, Role
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)


class UnknownLogin(LtcError):
    """the server has no login {login}"""

    kind = Kind.USAGE
    remedy = "make it first: CREATE ROLE … LOGIN"


class SeesAll(LtcError):
    """{login} sees everything already: it is {what}"""

    remedy = "REVOKE that from {login}, or give whoever is to be limited a login of its own"


class ReaderLimit(NamedTuple):
    """One limit of a login. `sees_all`: another role of the login by which it still sees everything; None: there is none."""

    login: str
    customer_id: UUID | None
    country: str | None
    region: str | None
    set_by: str
    reason: str
    sees_all: str | None


def limit(
    database: Database,
    login: str,
    *,
    customers: Sequence[UUID] = (),
    countries: Sequence[str] = (),
    regions: Sequence[str] = (),
    by: str,
    reason: str,
) -> int:
    """Limit a login to these customers; returns the number of limits. Raises UnknownLogin, SeesAll."""
    with database.connect(Role.PROJECTOR) as connection:
        for name in shown_builds(connection):
            limit_view(connection, name)
    with database.connect(Role.OWNER) as connection:
        row: Any = connection.execute(_SQL["login"], {"login": login}).fetchone()
        if row is None:
            raise UnknownLogin(login=login)
        if row[0] is not None:
            raise SeesAll(login=login, what=row[0])
        connection.execute(_SQL["forget"], {"login": login})
        rows = [
            *((one, None, None) for one in dict.fromkeys(customers)),
            *((None, one, None) for one in dict.fromkeys(countries)),
            *((None, None, one) for one in dict.fromkeys(regions)),
        ]
        with connection.cursor() as cursor:
            cursor.executemany(_SQL["limit"], [(login, *one, by, reason) for one in rows])
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(LIMITED_READER), sql.Identifier(login)))
    return len(rows)


def forget(database: Database, login: str) -> int:
    """Remove a login's limits, so that it sees nothing; returns how many it had."""
    with database.connect(Role.OWNER) as connection:
        count = connection.execute(_SQL["forget"], {"login": login}).rowcount
        if connection.execute(_SQL["login"], {"login": login}).fetchone() is not None:
            connection.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(LIMITED_READER), sql.Identifier(login)))
    return count


def limits_of(database: Database) -> list[ReaderLimit]:
    """All limits, by login."""
    with database.connect(Role.OWNER) as connection, connection.cursor(row_factory=class_row(ReaderLimit)) as cursor:
        return cursor.execute(_SQL["limits"]).fetchall()
