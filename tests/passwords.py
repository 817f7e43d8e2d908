"""A PostgreSQL server that asks for passwords (SCRAM), and logins on it whose passwords can be changed."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ltc_events.store import Database, Role, open_database
from ltc_events.store.embedded_server import leave_server

ACCESS = """
local all postgres trust
local all all scram-sha-256
"""


class Guarded:
    """The ledger of a server that lets the owner in by the socket, and everybody else by a password."""

    def __init__(self, owner: Database, folder: Path) -> None:
        self.owner = owner
        self._folder = folder

    def login(self, name: str, *roles: Role) -> Database:
        """A new login that may act in these roles, with its password in a file."""
        file = self._folder / f"{name}_password"
        with self.owner.connect(Role.OWNER, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
            for role in roles:
                connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role.value), sql.Identifier(name)))
        file.write_text(self.change_password(name), encoding="utf-8")
        return Database(make_conninfo(self.owner.conninfo, user=name), file)

    def password_file(self, name: str) -> Path:
        """Where the password of a login is read from."""
        return self._folder / f"{name}_password"

    def change_password(self, name: str) -> str:
        """Give the login another one, and end its sessions; the file is the caller's to write."""
        word = f"it's {secrets.token_hex(8)}"
        with self.owner.connect(Role.OWNER, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(word)))
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (name,))
        return word


@contextmanager
def guarded(folder: Path) -> Iterator[Guarded]:
    """A server of one's own that asks for passwords, with an empty ledger."""
    home = (folder / "guarded").resolve()
    owner = open_database(None, home)
    try:
        owner.initialise()
        (home / "postgresql" / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")
        with psycopg.connect(owner.conninfo, autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
        assert conninfo_to_dict(owner.conninfo)["user"] == "postgres"
        yield Guarded(owner, folder)
    finally:
        leave_server(home)
