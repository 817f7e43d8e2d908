"""Backup and restore: what is restored is what was there, whatever was interrupted, damaged, encrypted, or asked for."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.commands import register, rename
from tests.company import found_company
from tests.conftest import TestServer
from tests.e2e.test_cli import Ltc
from tests.went_back import go_back

from ltc_events.bootstrap.services import open_pipeline
from ltc_events.recovery.backup import NoFolderForBackup, OtherHistory, back_up
from ltc_events.recovery.backup_manifest import NAME, BackupKeyWrong, NoBackup
from ltc_events.recovery.restore import LedgerNotEmpty, NotInBackup, Restored, restore, verify
from ltc_events.recovery.sealed_files import CHUNK, BackupDamaged, SealedWriter, check, content_of
from ltc_events.store import Database, Role

KEY = "correct horse battery staple"
WHOLE = ("events", "outcomes", "traces", "dead_letters", "dead_letter_steps", "offsets", "epochs", "expired_messages", "head")


def everything(database: Database) -> dict[str, list[Any]]:
    """All rows of the ledger's tables."""
    with database.connect(Role.OWNER) as connection:
        query = "SELECT to_jsonb(t)::text FROM ltc.{} t ORDER BY 1"
        return {name: connection.execute(query.format(name)).fetchall() for name in WHOLE}  # type: ignore[call-overload]


def happen(database: Database, count: int = 3) -> None:
    """Commands that make events, one that is refused, a letter that is none, and an offset that moves."""
    with open_pipeline(database) as pipeline:
        for _ in range(count):
            customer = uuid4()
            pipeline.submit([register(f"Customer {customer}", customer), rename("Other Ltd", customer)])
        pipeline.submit([rename("Nobody", uuid4())])
    with database.connect(Role.OWNER) as connection:
        connection.execute("INSERT INTO ltc.dead_letters (source, raw, reason) VALUES ('test', '\\x00ff', 'none')")
        connection.execute(
            "INSERT INTO ltc.offsets VALUES ('ltc.commands', 0, %s) ON CONFLICT (feed, partition) DO UPDATE SET next_offset = %s",
            (head(database), head(database)),
        )


def head(database: Database) -> int:
    with database.connect(Role.OWNER) as connection:
        ((position,),) = connection.execute("SELECT position FROM ltc.head").fetchall()
        return int(position)


@pytest.fixture
def empty(server: TestServer) -> Iterator[Callable[[], Database]]:
    """Makes databases without a ledger."""
    made: list[str] = []

    def make() -> Database:
        made.append(server.create_bare())
        return server.at(made[-1])

    yield make
    for name in made:
        server.drop(name)


@pytest.mark.parametrize("secret", [None, KEY], ids=["in the clear", "encrypted"])
def test_what_is_restored_is_what_was_there(
    secret: str | None, database: Database, empty: Callable[[], Database], tmp_path: Path
) -> None:
    happen(database)
    assert back_up(database, tmp_path / "b", secret=secret, segment_events=2).head == head(database)
    happen(database)
    done = back_up(database, tmp_path / "b", secret=secret, segment_events=2)
    assert done.events == 6, "only what is new"
    target = empty()
    assert restore(target, tmp_path / "b", secret=secret).head == head(database)
    assert everything(target) == everything(database)
    happen(target)
    assert head(target) == head(database) + 6, "it goes on, with the guards and counters that it had"
    with target.connect(Role.OWNER) as connection, pytest.raises(psycopg.DatabaseError, match="append-only"):
        connection.execute("DELETE FROM ltc.epochs")
    content = b"".join(path.read_bytes() for path in (tmp_path / "b").iterdir() if path.name != NAME)
    plain = b"".join(
        part for segment in verify(tmp_path / "b", secret=secret).segments for part in _plain(tmp_path / "b", segment, secret)
    )
    assert b"office@analytical.example" in plain
    assert b"analytical" not in content


def _plain(folder: Path, segment: Any, secret: str | None) -> Iterator[bytes]:
    from ltc_events.recovery.backup_manifest import read

    return content_of(folder / segment.file, read(folder, secret)[1])


def test_a_whole_company_gives_the_same_reports(company: Database, empty: Callable[[], Database], tmp_path: Path) -> None:
    back_up(company, tmp_path / "b")
    target = empty()
    restore(target, tmp_path / "b")
    assert everything(target) == everything(company)

    def told(database: Database) -> Any:
        ltc = Ltc(LTC_DATABASE_URL=database.conninfo)
        return [ltc.json("report", name)["rows"] for name in ("trial-balance", "receivables-aging")]

    assert told(target) == told(company)


def test_a_ledger_without_an_event(database: Database, empty: Callable[[], Database], tmp_path: Path) -> None:
    assert back_up(database, tmp_path / "b").head == 0
    target = empty()
    assert restore(target, tmp_path / "b") == Restored(0, None, 0)
    assert everything(target) == everything(database)


@pytest.mark.parametrize("at", ["events-000000000003", "outcomes-", "epochs-", NAME])
def test_a_run_that_was_cut_off_is_gone_on_with(
    at: str, database: Database, empty: Callable[[], Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off right before a file gets its name: whatever is there, the next run makes a whole backup of it."""
    folder = tmp_path / "b"
    happen(database)
    replace = Path.replace

    def cut(self: Path, target: Any) -> Any:
        if Path(target).name.startswith(at):
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut)
        with pytest.raises(KeyboardInterrupt):
            back_up(database, folder, segment_events=2)
    happen(database)
    back_up(database, folder, segment_events=2)
    target = empty()
    restore(target, folder)
    assert everything(target) == everything(database)
    known = {NAME, ".lock", *(part.file for part in verify(folder).files())}
    assert {path.name for path in folder.iterdir()} == known, "what was left over is gone"


def test_any_position_and_any_moment_can_be_restored(database: Database, empty: Callable[[], Database], tmp_path: Path) -> None:
    folder = tmp_path / "b"
    happen(database, 2)
    back_up(database, folder, segment_events=3)
    first = everything(database)
    happen(database, 2)
    back_up(database, folder, segment_events=3)
    at_point = empty()
    assert restore(at_point, folder, to=4).head == 4
    assert everything(at_point) == first, "the point itself, with refusals, letters and offsets"
    between = empty()
    done = restore(between, folder, to=6)
    assert (done.head, done.offsets_of) == (6, 4), "offsets are of the last point before"
    now, then = everything(database), everything(between)
    assert then["events"] == [one for one in now["events"] if json.loads(one[0])["position"] <= 6]
    assert then["offsets"] == first["offsets"]
    assert len(then["outcomes"]) == 4 + 1 + 2, "six commands, and the refusal that was before"
    moment = done.recorded_at
    assert moment is not None
    by_time = empty()
    assert restore(by_time, folder, to=moment).head == 6
    assert everything(by_time)["events"] == then["events"]
    nothing = empty()
    assert restore(nothing, folder, to=0).head == 0
    assert not everything(nothing)["events"]
    assert not everything(nothing)["outcomes"]
    for beyond in (9, -1):
        with pytest.raises(NotInBackup, match=f"position {beyond}"):
            restore(empty(), folder, to=beyond)


def test_a_command_is_restored_as_a_whole_or_not_at_all(
    server: TestServer, empty: Callable[[], Database], tmp_path: Path
) -> None:
    name = server.create()
    database = server.at(name)
    try:
        found_company(database, customers=3, days=60)
        back_up(database, tmp_path / "b")
        with database.connect(Role.OWNER) as connection:
            rows = connection.execute(
                "SELECT first_position, last_position FROM ltc.outcomes WHERE last_position > first_position LIMIT 1"
            )
            ((first, last),) = rows.fetchall()
        assert restore(empty(), tmp_path / "b", to=first).head == first - 1
        assert restore(empty(), tmp_path / "b", to=last).head == last
    finally:
        server.drop(name)


def test_nothing_is_restored_where_a_ledger_is(database: Database, tmp_path: Path) -> None:
    happen(database)
    back_up(database, tmp_path / "b")
    before = everything(database)
    with pytest.raises(LedgerNotEmpty):
        restore(database, tmp_path / "b")
    assert everything(database) == before


def test_a_backup_is_of_one_ledger_and_one_history(database: Database, empty: Callable[[], Database], tmp_path: Path) -> None:
    happen(database)
    back_up(database, tmp_path / "b")
    other = empty()
    other.initialise()
    with pytest.raises(OtherHistory, match="of the ledger"):
        back_up(other, tmp_path / "b")
    go_back(database, 2)
    with pytest.raises(OtherHistory, match="fewer"):
        back_up(database, tmp_path / "b")
    happen(database)
    with pytest.raises(OtherHistory, match="another event at position 6"):
        back_up(database, tmp_path / "b")


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


HARM: dict[str, Callable[[Path], None]] = {"a bit": _flip, "the end": _cut, "all of it": Path.unlink}


@pytest.mark.parametrize("secret", [None, KEY], ids=["in the clear", "encrypted"])
@pytest.mark.parametrize("harm", HARM)
def test_damage_is_noticed_in_every_file_and_nothing_is_restored(
    harm: str, secret: str | None, database: Database, empty: Callable[[], Database], tmp_path: Path
) -> None:
    happen(database)
    back_up(database, tmp_path / "whole", secret=secret, segment_events=4)
    names = sorted(path.name for path in (tmp_path / "whole").iterdir() if path.name != ".lock")
    for name in names:
        shutil.rmtree(tmp_path / "b", ignore_errors=True)
        shutil.copytree(tmp_path / "whole", tmp_path / "b")
        HARM[harm](tmp_path / "b" / name)
        with pytest.raises((BackupDamaged, BackupKeyWrong, NoBackup)) as told:
            verify(tmp_path / "b", secret=secret)
        assert KEY not in told.value.message
    target = empty()
    with pytest.raises((BackupDamaged, BackupKeyWrong, NoBackup)):
        restore(target, tmp_path / "b", secret=secret)
    with target.connect(Role.OWNER) as connection:
        assert connection.execute("SELECT to_regclass('ltc.events')").fetchone() == (None,)


def test_who_has_no_key_can_neither_read_nor_change_it(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    happen(database)
    back_up(database, folder, secret=KEY)
    for wrong in (None, "another key of that length"):
        with pytest.raises(BackupKeyWrong):
            verify(folder, secret=wrong)
        with pytest.raises(BackupKeyWrong):
            back_up(database, folder, secret=wrong)
    document = json.loads((folder / NAME).read_text())
    document["points"] = []
    (folder / NAME).write_text(json.dumps(document))
    with pytest.raises(BackupKeyWrong, match="changed"):
        verify(folder, secret=KEY)


def test_no_backup_lands_among_what_is_of_others(database: Database, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear all")
    for folder, reason in ((tmp_path, "it holds letter.txt"), (tmp_path / "mounted" / "b", "mounted is not there")):
        with pytest.raises(NoFolderForBackup, match=reason):
            back_up(database, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    (tmp_path / "disk" / "lost+found").mkdir(parents=True)
    back_up(database, tmp_path / "disk")
    (tmp_path / "disk" / "note.txt").write_text("of ours")
    back_up(database, tmp_path / "disk")
    assert (tmp_path / "disk" / "note.txt").exists()


def test_two_at_once_do_not_mix(database: Database, tmp_path: Path) -> None:
    ltc, told = Ltc(LTC_DATABASE_URL=database.conninfo), list[str]()
    happen(database)

    def second(_: str) -> None:
        told.append(ltc.json("backup", str(tmp_path / "b"), exits=1)["error"]["code"])

    back_up(database, tmp_path / "b", report=second)
    assert told == ["backup_at_work"]
    verify(tmp_path / "b")


def test_old_points_go_and_the_events_stay(database: Database, empty: Callable[[], Database], tmp_path: Path) -> None:
    for _ in range(3):
        happen(database, 1)
        back_up(database, tmp_path / "b", keep=2)
    assert [point.head for point in verify(tmp_path / "b").points] == [4, 6]
    target = empty()
    assert restore(target, tmp_path / "b", to=2).head == 2
    assert len(everything(target)["events"]) == 2
    assert not everything(target)["offsets"], "of no point before: all is taken again"


def test_it_is_taken_while_commands_keep_coming(database: Database, empty: Callable[[], Database], tmp_path: Path) -> None:
    """Between the segments and the point commands come in: what is restored is one moment all the same."""
    happen(database)
    back_up(database, tmp_path / "b", segment_events=2, report=lambda _: happen(database, 1) if head(database) < 12 else None)
    target = empty()
    done = restore(target, tmp_path / "b")
    restored = everything(target)
    assert len(restored["events"]) == done.head
    positions = [json.loads(one)["last_position"] for (one,) in restored["outcomes"]]
    assert max(positions) == done.head
    assert len([one for one in positions if one]) == done.head


def test_a_login_that_may_only_read_all_can_take_it(database: Database, tmp_path: Path) -> None:
    happen(database)
    with database.connect(Role.OWNER, autocommit=True) as connection:
        name = f"backup_{uuid4().hex[:8]}"
        connection.execute(f"CREATE ROLE {name} LOGIN; GRANT pg_read_all_data TO {name}")  # type: ignore[arg-type]
        try:
            back_up(Database(psycopg.conninfo.make_conninfo(database.conninfo, user=name)), tmp_path / "b")
        finally:
            connection.execute(f"DROP ROLE {name}")  # type: ignore[arg-type]
    verify(tmp_path / "b")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.binary(max_size=3000) | st.integers(0, 3 * CHUNK).map(bytes), max_size=4),
    key=st.none() | st.binary(min_size=32, max_size=32),
)
def test_a_file_gives_back_what_was_written(parts: list[bytes], key: bytes | None, tmp_path: Path) -> None:
    file = SealedWriter(tmp_path / "f", key)
    with file:
        for part in parts:
            file.write(part)
    check(tmp_path / "f", file.seal)
    assert b"".join(content_of(tmp_path / "f", key)) == b"".join(parts)


def test_from_the_command_line(database: Database, empty: Callable[[], Database], tmp_path: Path) -> None:
    happen(database)
    (tmp_path / "key").write_text(f"{KEY}\n")
    folder, key = str(tmp_path / "b"), ("--key-file", str(tmp_path / "key"))
    ltc = Ltc(LTC_DATABASE_URL=database.conninfo)
    assert ltc.json("backup", folder, *key)["events"] == 6
    assert ltc.json("backup", folder, *key)["events"] == 0
    assert len(ltc.json("backup", folder, "--check", *key)["points"]) == 2
    target = empty()
    other = Ltc(LTC_DATABASE_URL=target.conninfo)
    assert other.json("restore", folder, exits=2)["error"]["code"] == "backup_key_wrong"
    for wrong in ("yesterday", "2026-03-02T09:30:00", "1.5"):
        other("restore", folder, "--to", wrong, *key, exits=2)
    assert other.json("restore", folder, *key)["head"] == 6
    assert everything(target) == everything(database)
    (tmp_path / "key").write_text("short")
    assert b"16 characters" in ltc("backup", folder, *key, exits=2).stderr
