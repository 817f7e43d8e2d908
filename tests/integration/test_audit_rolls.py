"""Rolls: every stream with its last version, signed; what is left out, or otherwise in it, is found and named."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from tests.commits import accepted, batch, new_event, refused
from tests.merkle import mth
from tests.notaries import NAME, key_in, sign, superuser, told, verify

from ltc_events.audit.errors import LogWentBack
from ltc_events.audit.findings import Kind
from ltc_events.audit.memory import memory_beside
from ltc_events.audit.notary import open_notary
from ltc_events.proofs.hashing import leaf_hash
from ltc_events.proofs.leaf import event_leaf
from ltc_events.proofs.roll import SHARDS, Roll, StreamHead, kind_of, shard_of
from ltc_events.store import Commit, Database, EventStore
from ltc_events.store.transparency import TransparencyStore

LOG = f"{NAME}/rolls"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return key_in(tmp_path)


def of_customers(customers: int, *, events: int = 1) -> Commit:
    """A stream of so many events for each customer."""
    commit = Commit()
    for _ in range(customers):
        command, customer, stream = uuid4(), uuid4(), uuid4()
        first = len(commit.events) + 1
        commit.events += [new_event(stream, version, command, customer) for version in range(1, events + 1)]
        commit.outcomes.append(accepted(command, first, len(commit.events)))
    return commit


def one_more(stream: UUID, version: int, customer: UUID | None) -> Commit:
    command = uuid4()
    return Commit([new_event(stream, version, command, customer)], [accepted(command, 1, 1)])


@pytest.fixture
def signed(database: Database, event_store: EventStore, key: Path) -> Database:
    """Streams of customers and of the company, in two rolls, the second of which has new versions of streams of the first."""
    event_store.append(of_customers(20, events=2))
    event_store.append(batch(10))
    sign(database, key)
    before = event_store.read_raw(0, 100)
    for event in (before[1], before[-1]):
        event_store.append(one_more(event.subject, 3, event.customer_id))
    event_store.append(of_customers(5))
    sign(database, key)
    event_store.close()
    return database


def rolls(database: Database) -> list[Roll]:
    with TransparencyStore(database) as store:
        return [Roll.parse(leaf) for _, _, leaf in store.rolls.leaves(LOG, 0, 100)]


def by_definition(store: EventStore, size: int) -> Roll:
    """The roll as docs/proofs.md states it, over all events at once."""
    events = store.read_raw(0, size)
    heads = {event.subject: event for event in events}
    shards: list[list[tuple[UUID, UUID, bytes]]] = [[] for _ in range(SHARDS)]
    for event in heads.values():
        head = leaf_hash(event_leaf(event))
        leaf = StreamHead(event.customer_id, event.subject, kind_of(event.type), event.version, head).leaf()
        owner = event.customer_id or event.subject
        shards[shard_of(owner)].append((owner, event.subject, leaf))
    root = mth([mth([leaf for _, _, leaf in sorted(shard)]) for shard in shards])
    customers = len({event.customer_id for event in heads.values() if event.customer_id})
    return Roll(size, mth([event_leaf(one) for one in events]), root, len(heads), customers, size)


def test_each_checkpoint_of_a_command_has_its_roll(signed: Database, event_store: EventStore, key: Path) -> None:
    assert rolls(signed) == [by_definition(event_store, 60), by_definition(event_store, 67)]
    assert not told(verify(signed, key, with_memory=True).findings)


def test_a_roll_that_is_made_anew_is_the_same(signed: Database, event_store: EventStore, key: Path) -> None:
    """As after a restore, which brings the events and what was signed, and not what rolls are made from."""
    with superuser(signed) as owner:
        for table in ("roll_streams", "roll_shards", "roll_state"):
            owner.execute(f"TRUNCATE ltc_audit.{table}".encode())
    assert not told(verify(signed, key).findings), "what is not there is no lie"
    event_store.append(of_customers(3))
    sign(signed, key)
    assert rolls(signed)[-1] == by_definition(event_store, 70)
    assert not told(verify(signed, key).findings)


def test_many_events_are_rolled_in_steps(
    database: Database, event_store: EventStore, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltc_events.audit.rolls.PAGE_EVENTS", 7)
    monkeypatch.setattr("ltc_events.audit.rolls.PAGE_SHARDS", 3)
    monkeypatch.setattr("ltc_events.store.rolls._PAGE_ROWS", 4)
    event_store.append(of_customers(10, events=4))
    sign(database, key)
    assert rolls(database) == [by_definition(event_store, 40)]
    assert not told(verify(database, key).findings)


def test_a_stream_that_is_left_out_of_what_is_kept_is_put_back(signed: Database, event_store: EventStore, key: Path) -> None:
    """The sum of the versions says that something is missing, and the roll is made of all events."""
    with superuser(signed) as owner:
        owner.execute("DELETE FROM ltc_audit.roll_streams")
        owner.execute("UPDATE ltc_audit.roll_shards SET streams = streams - 1, events = events - 2")
    event_store.append(of_customers(2))
    sign(signed, key)
    assert rolls(signed)[-1] == by_definition(event_store, 69)
    assert not told(verify(signed, key).findings)


def test_a_roll_that_is_false_is_found_with_its_first_stream(signed: Database, event_store: EventStore, key: Path) -> None:
    """One stream shorter, another longer: the sum says nothing, and the notary signs a lie, which a replay finds."""
    events = event_store.read_raw(0, 100)
    last = {event.subject: event.version for event in events}
    with superuser(signed) as owner:
        chosen = owner.execute("SELECT stream_id FROM ltc_audit.roll_streams WHERE version = 2 AND is_customers LIMIT 2")
        two = [row[0] for row in chosen]
        owner.execute("UPDATE ltc_audit.roll_streams SET version = 1, leaf = sha256('x') WHERE stream_id = %s", (two[0],))
        owner.execute("UPDATE ltc_audit.roll_streams SET version = 3 WHERE stream_id = %s", (two[1],))
    (found,) = verify(signed, key).findings
    assert found.kind is Kind.ROLL
    assert "it is true; what the next one would be made from is not" in found.detail
    # New events of both owners: their shards are made anew, from what was changed.
    owners = [next(event.customer_id for event in events if event.subject == id) for id in two]
    for customer in owners:
        event_store.append(one_more(uuid4(), 1, customer))
    sign(signed, key)
    assert rolls(signed)[-1] != by_definition(event_store, 69)
    (found,) = verify(signed, key).findings
    assert found.kind is Kind.ROLL
    assert any(f"stream {id} ends at version {last[id]}, and at " in found.detail for id in two), str(found)


def test_a_stream_that_is_not_in_a_signed_roll_is_named(signed: Database, event_store: EventStore, key: Path) -> None:
    with superuser(signed) as owner:
        ((left_out,),) = owner.execute("SELECT stream_id FROM ltc_audit.roll_streams ORDER BY stream_id LIMIT 1").fetchall()
        owner.execute("DELETE FROM ltc_audit.roll_streams WHERE stream_id = %s", (left_out,))
    (found,) = verify(signed, key).findings
    version = max(event.version for event in event_store.read_raw(0, 100) if event.subject == left_out)
    assert f"stream {left_out}, of version {version}, is left out" in str(found)
    with superuser(signed) as owner:
        owner.execute(
            "INSERT INTO ltc_audit.roll_streams SELECT shard, owner, %s, is_customers, kind, 1, head, leaf"
            " FROM ltc_audit.roll_streams LIMIT 1",
            (UUID(int=7),),
        )
        owner.execute("DELETE FROM ltc_audit.roll_streams WHERE shard <> (SELECT shard FROM ltc_audit.roll_streams"
                      " WHERE stream_id = %s)", (UUID(int=7),))  # fmt: skip
    assert [one.kind for one in verify(signed, key).findings] == [Kind.ROLL]


@pytest.mark.parametrize(
    ("harm", "kind", "words"),
    [
        ("UPDATE ltc.tlog_rolls SET leaf = set_byte(leaf, 15, 57) WHERE index = 1",
         Kind.CHANGED, "roll 2: it is not what was signed"),
        ("DELETE FROM ltc.tlog_rolls WHERE index = 0", Kind.MISSING, "roll 1: it is gone"),
        ("UPDATE ltc.tlog_checkpoints SET root = decode(repeat('00', 32), 'hex') WHERE log LIKE '%rolls' AND size = 1",
         Kind.SIGNATURE, "checkpoint of size 1"),
        ("DELETE FROM ltc.tlog_checkpoints WHERE log LIKE '%events' AND size = 60",
         Kind.ROLL, "roll 1, of 60 events: no checkpoint of the events has its size and root"),
    ],
    ids=["changed", "missing", "signature", "no checkpoint"],
)  # fmt: skip
def test_what_a_superuser_changes_of_rolls_is_named(signed: Database, key: Path, harm: str, kind: Kind, words: str) -> None:
    with superuser(signed) as owner:
        owner.execute(harm.encode())
    found = verify(signed, key).findings
    assert any(one.kind is kind and words in str(one) for one in found), told(found)


def go_back(database: Database) -> None:
    """To the first checkpoint of each log, as an older backup has it."""
    with superuser(database) as owner:
        owner.execute("DELETE FROM ltc.tlog_checkpoints WHERE log LIKE '%rolls' AND size > 1")
        owner.execute("DELETE FROM ltc.tlog_hashes WHERE log LIKE '%rolls' AND first > 0")
        owner.execute("DELETE FROM ltc.tlog_rolls WHERE index > 0")


def test_rolls_that_were_lost_are_signed_again_as_they_were(signed: Database, key: Path) -> None:
    before = rolls(signed)
    go_back(signed)
    assert Kind.WENT_BACK in {one.kind for one in verify(signed, key, with_memory=True).findings}
    sign(signed, key)
    assert rolls(signed) == before
    assert not told(verify(signed, key, with_memory=True).findings)


def test_events_that_were_put_back_are_signed_at_the_size_of_each_roll(
    database: Database, event_store: EventStore, key: Path
) -> None:
    for _ in range(4):
        event_store.append(of_customers(3))
        sign(database, key)
    before = rolls(database)
    go_back(database)
    with superuser(database) as owner:  # the events are all there, as after `ltc recover`; what was signed of them is older
        for log in ("events", "outcomes"):
            owner.execute("DELETE FROM ltc.tlog_checkpoints WHERE log LIKE %s AND size > 3", (f"%{log}",))
            owner.execute("DELETE FROM ltc.tlog_hashes WHERE log LIKE %s AND first > 2", (f"%{log}",))
    sign(database, key)
    assert rolls(database) == before
    assert not told(verify(database, key, with_memory=True).findings)


def test_rolls_that_nobody_can_make_again_stop_the_notary(signed: Database, key: Path) -> None:
    memory = memory_beside(key)
    memory.write_text(memory.read_text().replace('"sizes"', '"no sizes"').replace('"first": 0', '"sizes": [], "first": 0'))
    go_back(signed)
    with open_notary(signed, key) as notary, pytest.raises(LogWentBack, match=f"{LOG} ends at 1 leaves, and 2 were signed"):
        notary.begin()


def test_the_worker_makes_rolls_and_rests_between_them(
    database: Database, event_store: EventStore, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_store.append(batch(2))
    event_store.append(Commit([], [refused(uuid4())]))
    with open_notary(database, key) as notary:
        notary._every_s = 0.0
        notary.step()
        assert [roll.size for roll in rolls(database)] == [4]
        event_store.append(batch(1))
        notary.step()
        assert notary.size == 6
        assert [roll.size for roll in rolls(database)] == [4], "a roll was made a moment ago"
        monkeypatch.setattr("ltc_events.audit.notary.ROLL_EVERY_S", 0.0)
        notary._roll_at = 0.0
        notary.step()
        assert [roll.size for roll in rolls(database)] == [4, 6]
        notary.step()
        assert len(rolls(database)) == 2, "nothing is new"
