"""The embedded server: shared by the processes of a user, stopped by the last of them, and up again after bad ends."""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.broker import until

from ltc_events.store import Database, EmbeddedServerFailed, EventStore, Role, embedded_server, open_database
from ltc_events.store.embedded_server import last_words, leave_server
from ltc_events.store.errors import DatabaseUnreachable, EmbeddedDiskFull

# Joins the server of a folder, says so, and stays until it is told to go on.
USER = """
import sys
from pathlib import Path
from ltc_events.store import EventStore, Role, open_database
database = open_database(None, Path(sys.argv[1]))
database.initialise()
print(database.conninfo, flush=True)
sys.stdin.readline()
with EventStore(database, Role.WRITER) as store:
    print(store.head()[0], flush=True)
"""
# Makes a user of this machine at a moment when others do.
MAKE_USER = """
import pwd
import sys
from pathlib import Path
from ltc_events.store.embedded_server import make_system_user
print("ready", flush=True)
sys.stdin.readline()
make_system_user(sys.argv[1], Path(sys.argv[2]))
print(pwd.getpwnam(sys.argv[1]).pw_uid)
"""
FULL_DISK = """\
x [5] LOG:  starting PostgreSQL 18.4 on x86_64
x [6] FATAL:  an older one
x [5] LOG:  starting PostgreSQL 18.4 on x86_64
x [7] LOG:  redo done at 0/1FFDB38
x [7] FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device
x [8] FATAL:  the database system is in recovery mode
x [5] LOG:  database system is shut down
"""
FULL_WHILE_AT_WORK = """\
x [5] LOG:  starting PostgreSQL 18.4 on x86_64
x [5] LOG:  database system is ready to accept connections
x [9] PANIC:  could not write to file "pg_wal/xlogtemp.9": No space left on device
x [5] LOG:  all server processes terminated; reinitializing
x [8] FATAL:  the database system is in recovery mode
"""
SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def home() -> Iterator[Path]:
    # Not below pytest's folders, which nobody but their owner may enter: root's server runs as another user.
    with tempfile.TemporaryDirectory(prefix="ltc-") as folder:
        path = Path(folder).resolve() / "home"
        yield path
        leave_server(path)


def user(home: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    arguments = [sys.executable, "-c", USER, str(home)]
    process = subprocess.Popen(arguments, stdin=-1, stdout=-1, stderr=-1, text=True, env=environment)
    assert process.stdout is not None
    process.conninfo = process.stdout.readline().strip()  # type: ignore[attr-defined]
    return process


def go(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate("\n", timeout=60)
    assert process.returncode == 0
    return out.strip()


def is_up(home: Path) -> bool:
    return (home / "postgresql" / "postmaster.pid").exists()


def test_processes_share_the_server_and_the_last_one_stops_it(home: Path) -> None:
    first, second = user(home), user(home)
    assert first.conninfo == second.conninfo  # type: ignore[attr-defined]
    assert go(first) == "0"
    assert is_up(home)
    assert go(second) == "0"
    assert not is_up(home)


def test_a_process_that_was_killed_does_not_keep_the_server_up(home: Path) -> None:
    first, second = user(home), user(home)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)
    assert go(second) == "0"
    assert not is_up(home)


def test_the_server_comes_up_after_a_crash_whose_process_number_somebody_else_has_now(home: Path) -> None:
    conninfo = open_database(None, home).conninfo
    leave_server(home)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(conninfo)
    left_over = [str(os.getpid()), str(home / "postgresql"), "1700000000", "5432", str(home / "postgresql"), "", "", "ready"]
    (home / "postgresql" / "postmaster.pid").write_text("\n".join(left_over) + "\n")
    database = open_database(None, home)
    database.initialise()
    with EventStore(database, Role.WRITER) as store:
        assert store.head()[0] == 0


def test_data_of_another_postgresql_are_left_alone(home: Path) -> None:
    (home / "postgresql").mkdir(parents=True)
    (home / "postgresql" / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedServerFailed, match="PostgreSQL 14") as failed:
        open_database(None, home)
    assert "LTC_HOME" in failed.value.fix


def test_why_the_server_does_not_start_is_said_and_nothing_else_of_its_log(home: Path) -> None:
    user(home).communicate("\n", timeout=60)
    with (home / "postgresql" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    told = user(home).communicate(timeout=60)[1]
    assert "EmbeddedServerFailed" in told
    assert 'configuration file "' in told
    assert "contains errors" in told
    assert "LOG:" not in told, "statements stand there, and what they say of customers"


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (FULL_DISK, 'could not write to file "pg_wal/xlogtemp.7": No space left on device'),
        (FULL_DISK + "x LOG:  starting PostgreSQL 18.4\nx FATAL:  the database system is starting up\n", None),
        ("", None),
        (FULL_WHILE_AT_WORK, 'could not write to file "pg_wal/xlogtemp.9": No space left on device'),
        (FULL_WHILE_AT_WORK + "x LOG:  database system is ready to accept connections\n", None),
    ],
)
def test_the_last_words_of_the_last_start_count(tmp_path: Path, log: str, words: str | None) -> None:
    (tmp_path / "log").write_text(log)
    assert last_words(tmp_path / "log") == words
    assert last_words(tmp_path / "nothing") is None


def test_a_full_disk_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> bool:
        (home / "postgresql" / "log").write_text(FULL_DISK)
        raise subprocess.CalledProcessError(1, "pg_ctl")

    monkeypatch.setattr(embedded_server, "_is_up", fail)
    monkeypatch.setattr(embedded_server, "_Server", lambda home: None)
    with pytest.raises(EmbeddedDiskFull, match="no space is left") as failed:
        open_database(None, home)
    assert "make room" in failed.value.fix


def test_a_disk_that_fills_up_while_the_server_is_at_work_is_named_at_once(home: Path) -> None:
    """The first connection that fails says so, and not that the database is out of reach."""
    database = open_database(None, home)
    database.connect(Role.OWNER).close()
    folder = home / "postgresql"
    os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
    until(lambda: not (folder / "postmaster.pid").exists())
    with pytest.raises(DatabaseUnreachable):
        database.connect(Role.OWNER)
    (folder / "log").write_text(FULL_WHILE_AT_WORK)
    with pytest.raises(EmbeddedDiskFull, match="no space is left"):
        database.connect(Role.OWNER)


def test_what_the_system_refuses_is_not_told_in_the_words_of_an_old_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> bool:
        raise PermissionError(13, "Permission denied", ".lock")

    (home / "postgresql").mkdir(parents=True)
    (home / "postgresql" / "log").write_text(FULL_DISK)
    monkeypatch.setattr(embedded_server, "_is_up", fail)
    monkeypatch.setattr(embedded_server, "_Server", lambda home: None)
    with pytest.raises(EmbeddedServerFailed, match=r"Permission denied: '\.lock'"):
        open_database(None, home)


def test_a_folder_that_the_wheel_cannot_serve_is_refused(home: Path) -> None:
    with pytest.raises(EmbeddedServerFailed, match="space"):
        open_database(None, home / "with a space")


def test_nobody_else_may_use_the_socket(home: Path) -> None:
    open_database(None, home)
    (socket,) = (home / "postgresql").glob(".s.PGSQL.5432")
    assert socket.stat().st_mode & 0o077 == 0


def test_a_url_needs_no_server_of_ours() -> None:
    database = open_database("postgresql://somebody@example.invalid/ledger", None)
    assert isinstance(database, Database)
    assert database.conninfo == "postgresql://somebody@example.invalid/ledger"


def test_an_ordinary_user_runs_a_server_beside_that_of_the_tests(home: Path) -> None:
    open_database(None, home)
    ordinary = 65534 if os.geteuid() == 0 else os.geteuid()
    with tempfile.TemporaryDirectory(prefix="ltc-") as folder:
        os.chown(folder, ordinary, -1)
        # A fork, not a new interpreter: that of the tests may lie where an ordinary user cannot go.
        child = os.fork()
        if child == 0:
            os._exit(as_user(ordinary, Path(folder).resolve() / "home"))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def as_user(uid: int, home: Path) -> int:
    try:
        os.chdir("/")
        os.setuid(uid)
        database = open_database(None, home)
        database.initialise()
        with EventStore(database, Role.WRITER) as store:
            head = store.head()[0]
        leave_server(home)
    except Exception:  # noqa: BLE001 - of the child there is nothing left but its exit code
        traceback.print_exc()
        return 1
    return head + is_up(home)


def test_processes_that_need_a_user_of_the_machine_at_once_make_one(tmp_path: Path) -> None:
    is_root = os.geteuid() == 0
    name = f"ltc-test-{os.getpid()}" if is_root else pwd.getpwuid(os.geteuid()).pw_name
    words = [sys.executable, "-W", "ignore", "-c", MAKE_USER, name, str(tmp_path / "lock")]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    processes = [subprocess.Popen(words, stdin=-1, stdout=-1, text=True, env=environment) for _ in range(3)]
    try:
        for one in processes:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in processes:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        told = {int(one.communicate(timeout=60)[0]) for one in processes}
        assert told == {pwd.getpwnam(name).pw_uid}
    finally:
        if is_root:
            subprocess.run(["userdel", name], check=True, capture_output=True)
