"""The notary signs what there is, and whatever a superuser changes afterwards is found, and named."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from tests.commits import batch, one_command, refused
from tests.conftest import TestServer
from tests.notaries import NAME, key_in, note, sign, superuser, told, verify

from ltc_events.audit.errors import HistoryChanged, LogWentBack, NoNotaryKey, NotaryKeyExists, NotaryKeyUnreadable, TwoHistories
from ltc_events.audit.findings import Kind, Verdict
from ltc_events.audit.keys import add_key, is_private, make_key, read_keys
from ltc_events.audit.memory import memory_beside
from ltc_events.audit.notary import open_notary
from ltc_events.proofs.checkpoint import Checkpoint, open_checkpoint
from ltc_events.proofs.errors import SignatureMissing
from ltc_events.proofs.hashing import EMPTY_ROOT
from ltc_events.proofs.leaf import event_leaf
from ltc_events.proofs.note import Note
from ltc_events.store import Commit, Database, EventStore, Role
from ltc_events.store.transparency import TransparencyStore

from tests.merkle import mth  # isort: skip

Owner = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return key_in(tmp_path)


@pytest.fixture
def signed(database: Database, event_store: EventStore, key: Path) -> Database:
    """Twelve events of six commands, and two refusals, in two checkpoints of each log."""
    for _ in range(2):
        event_store.append(batch(3))
        event_store.append(Commit([], [refused(uuid4())]))
        sign(database, key)
    event_store.close()
    return database


def sizes(database: Database, log: str) -> list[int]:
    with TransparencyStore(database) as store:
        return [one.size for one in store.checkpoints(f"{NAME}/{log}")]


def test_what_is_signed_is_the_root_over_the_leaves(signed: Database, event_store: EventStore, key: Path) -> None:
    checkpoint, _ = open_checkpoint(note(signed), read_keys(key).verifiers("events"), f"{NAME}/events")
    assert checkpoint == Checkpoint(f"{NAME}/events", 12, mth([event_leaf(one) for one in event_store.read_raw(0, 100)]))
    assert [sizes(signed, log) for log in ("events", "outcomes", "refusals")] == [[6, 12], [3, 6], [1, 2]]
    assert verify(signed, key, with_memory=True) == Verdict(verify(signed, key).logs, 0, [], [])


def test_nothing_new_is_signed_where_nothing_is_new(signed: Database, key: Path) -> None:
    before = note(signed)
    assert sign(signed, key) == before
    assert sizes(signed, "events") == [6, 12]


def test_an_empty_ledger_has_nothing_to_sign(database: Database, key: Path) -> None:
    with open_notary(database, key) as notary:
        notary.begin()
        notary.sign_all()
    assert sizes(database, "events") == []
    assert EMPTY_ROOT.hex().startswith("e3b0c442")


def test_many_events_are_signed_in_steps_and_their_tiles_hold(
    database: Database, event_store: EventStore, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltc_events.audit.notary.EVENTS_MAX", 300)
    monkeypatch.setattr("ltc_events.audit.leaves.PAGE_EVENTS", 70)
    monkeypatch.setattr("ltc_events.audit.notary.PAGE_EVENTS", 70)
    event_store.append(batch(350))
    sign(database, key)
    event_store.append(batch(20))
    sign(database, key)
    assert sizes(database, "events") == [300, 600, 700, 740]
    assert sizes(database, "outcomes") == [150, 300, 350, 370]
    leaves = [event_leaf(one) for one in event_store.read_raw(0, 1000)]
    assert Checkpoint.parse(Note.parse(note(database)).text).root == mth(leaves)
    assert not verify(database, key, with_memory=True).findings


def test_two_notaries_take_turns(signed: Database, event_store: EventStore, key: Path) -> None:
    event_store.append(batch(1))
    with open_notary(signed, key) as one, open_notary(signed, key) as other:
        assert one.begin()
        assert not other.begin()
        assert other.is_standing_by
        one.sign_all()
    assert sizes(signed, "events") == [6, 12, 14]


def test_the_notary_may_add_to_its_logs_and_do_nothing_else(signed: Database) -> None:
    with signed.connect(Role.NOTARY, autocommit=True) as connection:
        for statement in (
            b"INSERT INTO ltc.events SELECT * FROM ltc.events",
            b"UPDATE ltc.tlog_checkpoints SET note = ''",
            b"DELETE FROM ltc.tlog_hashes",
            b"SELECT * FROM ltc.dead_letters",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        # Of one size there is one root.
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(
                b"INSERT INTO ltc.tlog_checkpoints (log, size, root, note) SELECT log, size, '', '' FROM ltc.tlog_checkpoints"
            )
    for role in (Role.WRITER, Role.PROJECTOR, Role.READER, Role.RELAY):
        with signed.connect(role, autocommit=True) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(b"INSERT INTO ltc.tlog_hashes VALUES ('x', 0, 0, 0, '')")


def rewrite(owner: Owner) -> None:
    owner.execute("UPDATE ltc.events SET data = replace(convert_from(data, 'UTF8'), '12.5', '99.5')::bytea WHERE position = 4")


def drop(owner: Owner) -> None:
    owner.execute("DELETE FROM ltc.events WHERE position = 4")


def drop_command(owner: Owner) -> None:
    owner.execute("DELETE FROM ltc.outcomes WHERE first_position = 3")
    owner.execute("DELETE FROM ltc.events WHERE position IN (3, 4)")


def exchange(owner: Owner) -> None:
    for was, now in ((2, -1), (5, 2), (-1, 5)):
        owner.execute("UPDATE ltc.events SET position = %s WHERE position = %s", (now, was))


def backdate(owner: Owner) -> None:
    owner.execute("UPDATE ltc.events SET effective_on = effective_on - 1 WHERE position = 11")


def change_outcome(owner: Owner) -> None:
    owner.execute("UPDATE ltc.outcomes SET content_hash = 'x' WHERE first_position = 3")


def drop_outcome(owner: Owner) -> None:
    owner.execute("DELETE FROM ltc.outcomes WHERE first_position = 3")


def change_refusal(owner: Owner) -> None:
    owner.execute("UPDATE ltc.outcomes SET reasons = '[]' WHERE first_position = 0")


def accept_refused(owner: Owner) -> None:
    owner.execute("UPDATE ltc.outcomes SET status = 'accepted' WHERE first_position = 0")


def drop_refusal(owner: Owner) -> None:
    owner.execute("DELETE FROM ltc.outcomes WHERE first_position = 0")


def put_refusal(owner: Owner) -> None:
    owner.execute(
        "INSERT INTO ltc.outcomes SELECT gen_random_uuid(), command_type, content_hash, status, 0, 0, reasons, content,"
        " recorded_at - interval '1 hour' FROM ltc.outcomes WHERE first_position = 0 LIMIT 1"
    )


def truncate(owner: Owner) -> None:
    owner.execute("DELETE FROM ltc.outcomes WHERE first_position > 10")
    owner.execute("DELETE FROM ltc.events WHERE position > 10")
    owner.execute("UPDATE ltc.head SET position = 10")


def change_tree(owner: Owner) -> None:
    owner.execute("UPDATE ltc.tlog_hashes SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) WHERE log LIKE '%events'")


def change_root(owner: Owner) -> None:
    owner.execute("UPDATE ltc.tlog_checkpoints SET root = decode(repeat('00', 32), 'hex') WHERE log LIKE '%events' AND size = 6")


def lie_about_note(owner: Owner) -> None:
    owner.execute("UPDATE ltc.tlog_checkpoints SET note = replace(encode(note, 'escape'), E'\\n12\\n', E'\\n13\\n')::bytea")


@pytest.mark.parametrize(
    ("harm", "kind", "words", "size"),
    [
        (rewrite, Kind.CHANGED, "position 4: campaign.cost_recorded.v1, version 2 of stream", 6),
        (drop, Kind.MISSING, "position 4: the event is gone", 6),
        (drop_command, Kind.MISSING, "1 commands with their outcomes are gone", 3),
        (exchange, Kind.EXCHANGED, "position 2: the event there was signed at position 5", 6),
        (backdate, Kind.CHANGED, "position 11: campaign.launched.v1", 12),
        (change_outcome, Kind.CHANGED, "at position 3: its outcome is not what was signed", 3),
        (drop_outcome, Kind.CHANGED, "at position 3: its outcome is not what was signed, or is gone", 3),
        (change_refusal, Kind.CHANGED, "its outcome without events is not what was signed", 1),
        (accept_refused, Kind.CHANGED, "its outcome without events is not what was signed", 1),
        (drop_refusal, Kind.MISSING, "the refusal is gone", 1),
        (put_refusal, Kind.ADDED, "it was put there", 2),
        (truncate, Kind.TRUNCATED, "positions 11 to 12: these events are gone from the log's end", 12),
        (change_tree, Kind.TREE, "they do not lead to the root that was signed", 6),
        (change_root, Kind.SIGNATURE, "size and root beside the note are not those in it", 6),
        (lie_about_note, Kind.SIGNATURE, "is not valid", 12),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_what_a_superuser_changes_is_named(
    signed: Database, key: Path, harm: Callable[[Owner], None], kind: Kind, words: str, size: int
) -> None:
    assert not verify(signed, key).findings
    with superuser(signed) as owner:
        harm(owner)
    found = verify(signed, key).findings
    named = [one for one in found if one.kind is kind and words in str(one)]
    assert named, told(found)
    assert named[0].since is not None
    assert named[0].since.size == size
    assert f"in the checkpoint of size {size}" in str(named[0])


def test_one_harm_is_told_once(signed: Database, key: Path) -> None:
    with superuser(signed) as owner:
        rewrite(owner)
    assert len(verify(signed, key).findings) == 1
    with superuser(signed) as owner:
        change_outcome(owner)
    assert len(verify(signed, key).findings) == 2


def test_hashes_that_are_changed_with_the_event_are_found_at_the_next_root(
    signed: Database, event_store: EventStore, key: Path
) -> None:
    from ltc_events.proofs.hashing import leaf_hash

    with superuser(signed) as owner:
        rewrite(owner)
        (changed,) = event_store.read_raw(3, 1)
        owner.execute(
            "UPDATE ltc.tlog_hashes SET hashes = overlay(hashes PLACING %s FROM 97) WHERE log LIKE '%%/events' AND first = 0",
            (leaf_hash(event_leaf(changed)),),
        )
    (found,) = verify(signed, key).findings
    assert found.kind is Kind.TREE
    assert found.where == "leaves 1 to 6"


def test_who_makes_the_logs_anew_has_no_key_to_sign_them(signed: Database, key: Path, tmp_path: Path) -> None:
    other = tmp_path / "theirs" / "notary.key"
    make_key(other, NAME)
    with superuser(signed) as owner:
        rewrite(owner)
        for table in ("tlog_hashes", "tlog_checkpoints", "tlog_signatures", "tlog_refusals", "tlog_rolls"):
            owner.execute(f"TRUNCATE ltc.{table}".encode())
    sign(signed, other)
    found = verify(signed, key).findings
    assert Kind.SIGNATURE in {one.kind for one in found}
    assert "no signature on the note is by ledger.example/main" in str(found[0])


def test_the_key_alone_does_not_help_whom_somebody_remembers(signed: Database, key: Path, tmp_path: Path) -> None:
    """A superuser who has the key signs another history: the notary's own knowledge, and any auditor's checkpoint, tell."""
    kept = note(signed)
    stolen = tmp_path / "stolen" / "notary.key"
    stolen.parent.mkdir()
    stolen.write_bytes(key.read_bytes())
    with superuser(signed) as owner:
        rewrite(owner)
        for table in ("tlog_hashes", "tlog_checkpoints", "tlog_signatures", "tlog_refusals", "tlog_rolls"):
            owner.execute(f"TRUNCATE ltc.{table}".encode())
    sign(signed, stolen)
    assert not verify(signed, key).findings, "by itself it is a history without a flaw"
    for found in (verify(signed, key, kept).findings, verify(signed, key, with_memory=True).findings):
        # Of the rolls that were signed before, the new history has fewer.
        assert {one.kind for one in found} - {Kind.WENT_BACK} == {Kind.TWO_HISTORIES}
        assert "leaves 1 to 12" in str(found[0])
    with open_notary(signed, key) as notary, pytest.raises(TwoHistories, match=r"12 leaves is not the beginning"):
        notary.begin()


def test_an_older_backup_is_found_and_nothing_is_signed_on_it(
    server: TestServer, database: Database, event_store: EventStore, key: Path
) -> None:
    event_store.append(batch(2))
    sign(database, key)
    event_store.close()
    backup = server.at(server.create_from(database))
    try:
        with EventStore(database, Role.WRITER) as store:
            store.append(batch(3))
        kept = sign(database, key)
        for found in (verify(backup, key, kept).findings, verify(backup, key, with_memory=True).findings):
            assert Kind.WENT_BACK in {one.kind for one in found}
            assert any("it ends at 4 leaves, and 10 were signed" in str(one) for one in found)
        with open_notary(backup, key) as notary, pytest.raises(LogWentBack, match="ends at 4 leaves, and 10 were signed"):
            notary.begin()
        # Other events in place of those that were lost do not make it better.
        with EventStore(backup, Role.WRITER) as store:
            store.append(batch(3))
        with open_notary(backup, key) as notary, pytest.raises(TwoHistories):
            notary.begin()
        assert sizes(backup, "events") == [4]
    finally:
        server.drop(backup.conninfo.rpartition("dbname=")[2].split()[0])


def test_what_is_put_back_as_it_was_is_signed_as_it_was(
    server: TestServer, database: Database, event_store: EventStore, key: Path
) -> None:
    event_store.append(batch(2))
    sign(database, key)
    event_store.append(batch(3))
    before = sign(database, key)
    with superuser(database) as owner:
        owner.execute("DELETE FROM ltc.tlog_checkpoints WHERE size > 4 OR log LIKE '%outcomes' AND size > 2")
        owner.execute(
            "DELETE FROM ltc.tlog_hashes WHERE log LIKE '%events' AND first >= 4 OR log LIKE '%outcomes' AND first >= 2"
        )
    assert sign(database, key) == before
    assert not verify(database, key, with_memory=True).findings


def test_the_patrol_gives_alarm_and_nothing_is_signed_until_it_is_mended(
    signed: Database, event_store: EventStore, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with superuser(signed) as owner:
        owner.execute("CREATE TABLE public.kept AS SELECT data FROM ltc.events WHERE position = 4")
        rewrite(owner)
    event_store.append(batch(1))
    monkeypatch.setattr("ltc_events.audit.notary.PATROL_EVENTS", 2)
    words = "position 4 is not what was signed in the checkpoint of 6 leaves of ledger.example/main/events"
    with open_notary(signed, key) as notary:
        notary.begin()
        notary.patrol()
        with pytest.raises(HistoryChanged, match=words):
            notary.patrol()
    for _ in range(2):  # also one that is started anew
        with open_notary(signed, key) as notary, pytest.raises(HistoryChanged, match=words):
            notary.step()
    assert sizes(signed, "events") == [6, 12]
    with superuser(signed) as owner:
        owner.execute("UPDATE ltc.events SET data = kept.data FROM public.kept WHERE position = 4")
    sign(signed, key)
    assert sizes(signed, "events") == [6, 12, 14]


def test_nothing_is_signed_on_a_tree_that_was_changed(signed: Database, event_store: EventStore, key: Path) -> None:
    event_store.append(batch(1))
    with superuser(signed) as owner:
        change_tree(owner)
    with open_notary(signed, key) as notary, pytest.raises(HistoryChanged, match="the kept tree"):
        notary.begin()


def test_an_event_without_a_position_before_it_is_not_signed(signed: Database, event_store: EventStore, key: Path) -> None:
    event_store.append(batch(2))
    with superuser(signed) as owner:
        owner.execute("DELETE FROM ltc.events WHERE position = 14")
    with open_notary(signed, key) as notary:
        notary.begin()
        with pytest.raises(HistoryChanged, match="position 13 "):
            notary.sign_all()
    assert sizes(signed, "events") == [6, 12]


def test_a_key_is_its_owners_alone_and_made_once(tmp_path: Path) -> None:
    file = tmp_path / "new" / "notary.key"
    with pytest.raises(NoNotaryKey, match=str(file)):
        read_keys(file)
    keys = make_key(file, NAME)
    assert file.stat().st_mode & 0o777 == 0o600
    assert is_private(file)
    assert keys.seeds[0].hex() not in repr(keys)
    with pytest.raises(NotaryKeyExists):
        make_key(file, NAME)
    file.chmod(0o644)
    assert not is_private(file)
    for content in ("", "x", file.read_text().replace("PRIVATE", "PUBLIC"), file.read_text().replace("main", "other")):
        file.write_text(content)
        with pytest.raises(NotaryKeyUnreadable) as unreadable:
            read_keys(file)
        assert "==" not in str(unreadable.value)


def test_a_rotated_key_signs_beside_the_old_one_and_then_alone(signed: Database, event_store: EventStore, key: Path) -> None:
    old = read_keys(key).verifiers("events")
    add_key(key)
    event_store.append(batch(1))
    both = sign(signed, key)
    new = read_keys(key).verifiers("events")[:1]
    for verifiers in (old, new):
        assert open_checkpoint(both, verifiers)[0].size == 14
    assert not verify(signed, key).findings
    key.write_text(key.read_text().splitlines(keepends=True)[0])
    event_store.append(batch(1))
    alone = sign(signed, key)
    assert open_checkpoint(alone, new)[0].size == 16
    with pytest.raises(SignatureMissing):
        open_checkpoint(alone, old)


def test_under_another_name_the_logs_begin_anew(signed: Database, key: Path) -> None:
    add_key(key, "ledger.example/second")
    with open_notary(signed, key) as notary:
        notary.begin()
        notary.sign_all()
    with TransparencyStore(signed) as store:
        last = store.last("ledger.example/second/events")
        assert last is not None
        assert (last.size, len(store.logs())) == (12, 8)


def test_the_memory_is_beside_the_key_and_has_no_secret(signed: Database, key: Path) -> None:
    text = memory_beside(key).read_text()
    assert note(signed).decode().splitlines()[2] in text
    assert "PRIVATE" not in text
    memory_beside(key).write_text("{")
    with pytest.raises(NotaryKeyUnreadable), open_notary(signed, key):
        pass


def test_events_of_no_command_have_no_outcome_and_are_signed(database: Database, event_store: EventStore, key: Path) -> None:
    commit = one_command()
    event_store.append(Commit([one._replace(command_id=UUID(int=0)) for one in commit.events], []))
    event_store.append(one_command())
    sign(database, key)
    assert (sizes(database, "events"), sizes(database, "outcomes")) == ([2], [1])
    assert not verify(database, key).findings
