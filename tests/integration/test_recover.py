"""A store that has gone back, with a real broker: whoever is ahead stops, and `ltc recover` takes the way out."""

import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from kafka import KafkaAdminClient, TopicPartition
from psycopg.conninfo import conninfo_to_dict
from tests.broker import PARTITIONS, Arrived, everything, send, until
from tests.commands import register, rename
from tests.conftest import TestServer
from tests.e2e.test_cli import Ltc
from tests.projectors import SOME, adopt, arrive, assert_true, fill, relay_all, source_of
from tests.went_back import go_back

from ltc_events.application.clock import SystemClock
from ltc_events.bus.cloudevents import EPOCH_BEGAN, command_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.records import Outgoing
from ltc_events.bus.topics import COMMANDS, EVENTS, RESULTS, Bus, Topic
from ltc_events.diagnosis.bus import examine_bus
from ltc_events.projections.catalog.event_source import vector_of
from ltc_events.projections.catalog.installed_tables import shown_build
from ltc_events.projections.declaration.errors import CheckpointMoved
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.projections.writing.checkpoints import Move, move_checkpoints
from ltc_events.recovery.assessment import find
from ltc_events.recovery.expired import CommandsExpired
from ltc_events.recovery.recover import CannotPutBack, RelayAtWork, recover
from ltc_events.schemas.tracing import Trace
from ltc_events.store import Database, EpochOver, EventStore, Role, StoreWentBack
from ltc_events.store.restoration import begin_epoch
from ltc_events.workers.command import CommandWorker, open_command_worker
from ltc_events.workers.epoch_check import LATE_S
from ltc_events.workers.projector import open_projector
from ltc_events.workers.relay import open_relay

WAITS_FOR_CHECKPOINTS = "SELECT FROM pg_locks WHERE relation = to_regclass('ltc_read.checkpoints') AND NOT granted"
Opener = Callable[[Bus, Database], Any]
OPENERS: dict[str, Opener] = {
    "relay": lambda bus, database: open_relay(bus, database, Publisher(bus)),
    "command": lambda bus, database: open_command_worker(bus, database, Publisher(bus)),
    "projector": lambda bus, database: open_projector(bus, database, projections=SOME),
}


def ltc(bus: Bus, database: Database) -> Ltc:
    return Ltc(LTC_DATABASE_URL=database.conninfo, LTC_KAFKA_BOOTSTRAP=bus.bootstrap, LTC_KAFKA_PREFIX=bus.prefix)


def taken(arrived: list[Arrived]) -> dict[int, bytes]:
    """What a consumer holds in the end that does as docs/upstream.md says: by position, the value."""
    held: dict[int, dict[int, bytes]] = {}
    highest: dict[int, int] = {}
    begun: dict[int, tuple[bytes, int]] = {}
    for one in arrived:
        mine = held.setdefault(one.partition, {})
        epoch = one.headers["ce_epoch"]
        current, after = begun.get(one.partition, (b"0-", 0))
        is_older = int(epoch.partition(b"-")[0]) < int(current.partition(b"-")[0])
        if one.headers["ce_type"].decode() == EPOCH_BEGAN:
            if is_older or epoch == current:
                continue
            after = json.loads(one.value or b"")["after"]
            for position in [position for position in mine if position > after]:
                del mine[position]
            highest[one.partition] = min(highest.get(one.partition, 0), after)
            begun[one.partition] = epoch, after
            continue
        position = int(one.headers["ce_position"])
        if is_older and position > after:
            continue
        if position > highest.get(one.partition, 0):
            mine[position], highest[one.partition] = one.value or b"", position
    return {position: value for mine in held.values() for position, value in mine.items()}


def assert_told(bus: Bus, store: EventStore) -> None:
    assert taken(everything(bus, EVENTS)) == {one.position: one.data for one in store.read_raw(0, 10_000)}


def publish_and_lose(bus: Bus, database: Database, store: EventStore) -> tuple[int, int]:
    """Tables on Kafka and 60 events; a backup; 40 more events; the backup is restored. The head then, and before."""
    adopt(bus, database, store)
    kept, offsets = store.head()[0], store.offsets(bus.topic(EVENTS))
    fill(store, 40)
    relay_all(bus, database, store)
    lost = store.head()[0]
    go_back(database, kept, offsets)
    return kept, lost


@pytest.mark.parametrize("grows", [False, True], ids=["shorter", "longer"])
@pytest.mark.parametrize("worker", list(OPENERS))
def test_whoever_works_between_the_store_and_kafka_stops(
    bus: Bus, database: Database, event_store: EventStore, worker: str, *, grows: bool
) -> None:
    kept, lost = publish_and_lose(bus, database, event_store)
    if grows:
        fill(event_store, 90)
    before, offsets = everything(bus, EVENTS), event_store.offsets(bus.topic(EVENTS))
    head = event_store.head()[0]
    with pytest.raises(StoreWentBack, match=bus.topic(EVENTS)), OPENERS[worker](bus, database) as opened:  # noqa: PT012
        for _ in range(20):
            opened.step()
    assert (event_store.head()[0], event_store.offsets(bus.topic(EVENTS))) == (head, offsets)
    assert everything(bus, EVENTS) == before
    checks = {one.name: one for one in examine_bus(bus, database)}
    assert not checks["epoch on Kafka"].healthy
    assert "ltc recover" in checks["epoch on Kafka"].fix
    assert f"the event {lost}" in checks["epoch on Kafka"].detail
    found = find(database, bus)
    assert (found.common, len(found.lost), found.own) == (kept, lost - kept, head - kept)


@pytest.mark.parametrize("worker", ["relay", "projector"])
def test_who_is_at_work_notices_a_restore_in_place_though_no_connection_broke_and_nothing_comes(
    bus: Bus, database: Database, event_store: EventStore, worker: str
) -> None:
    adopt(bus, database, event_store)
    kept, offsets = event_store.head()[0], event_store.offsets(bus.topic(EVENTS))
    fill(event_store, 40)
    relay_all(bus, database, event_store)
    with pytest.raises(StoreWentBack), OPENERS[worker](bus, database) as opened:  # noqa: PT012
        for _ in range(20):
            opened.step()
        if worker == "projector":
            arrive(opened, database, event_store)
        go_back(database, kept, offsets)
        for _ in range(20):
            opened.step()
    assert event_store.head()[0] == kept


def test_a_command_worker_decides_nothing_on_what_a_restore_in_place_has_lost(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    customer = register("First")
    fill(event_store, 10)
    kept, offsets = event_store.head()[0], event_store.offsets(*feeds(bus))
    with (  # noqa: PT012
        pytest.raises(StoreWentBack, match=f"its head is {kept}, and was {kept + 1}"),
        OPENERS["command"](bus, database) as worker,
    ):
        send(bus, COMMANDS, [command_message(customer)])
        until(lambda: len(everything(bus, RESULTS)) == 1, worker.step)
        go_back(database, kept, offsets)
        send(bus, COMMANDS, [command_message(rename("New", customer["subject"]))])
        until(lambda: False, worker.step)
    assert event_store.head()[0] == kept


def test_a_command_worker_stops_where_answers_were_given_of_which_the_store_knows_nothing(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    send(bus, COMMANDS, [command_message(register(f"Customer {number}")) for number in range(3)])
    with OPENERS["command"](bus, database) as worker:
        until(lambda: event_store.head()[0] == 3, worker.step)
    go_back(database, 1, {})  # nothing was published yet
    with pytest.raises(StoreWentBack, match="of which the store has no such outcome"), OPENERS["command"](bus, database):
        pass


@pytest.mark.parametrize("refused", [False, True], ids=["accepted", "refused"])
def test_where_only_answers_are_ahead_their_commands_are_decided_anew_in_a_new_epoch(
    bus: Bus, database: Database, event_store: EventStore, *, refused: bool
) -> None:
    fill(event_store, 10)
    kept, offsets = event_store.head()[0], event_store.offsets(*feeds(bus))
    nobody = "00000000-0000-4000-8000-000000000001"
    commands = [rename("New", nobody) if refused else register(f"Customer {number}") for number in range(3)]
    commands = [{**one, "id": f"00000000-0000-4000-8000-00000000010{number}"} for number, one in enumerate(commands)]
    send(bus, COMMANDS, [command_message(one) for one in commands])
    with OPENERS["command"](bus, database) as worker:
        until(lambda: len(everything(bus, RESULTS)) == 3, worker.step)
    go_back(database, kept, offsets)  # nothing was published yet

    line = ltc(bus, database)
    told = line.json("recover", exits=1)
    assert (told["in_order"], told["answers"], told["common"], told["lost"]) == (False, 3, kept, 0)
    done = line.json("recover", "--yes", "--reason", "the disk broke")
    assert (done["after"], done["answered"], done["epoch"][:2]) == (kept, 0, "2-")
    assert line.json("recover")["in_order"]
    with OPENERS["command"](bus, database) as worker:
        until(lambda: len(everything(bus, RESULTS)) == 6, worker.step)
    assert event_store.head()[0] == kept + (0 if refused else 3)
    assert counting_answers(bus) == recorded_answers(event_store, commands)
    relay_all(bus, database, event_store)
    assert_told(bus, event_store)
    assert find(database, bus).is_in_order


def test_an_answer_that_comes_late_from_before_the_store_went_back_is_found_and_corrected(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    """A worker sleeps with its answers while the store goes back and others decide its commands anew, at other positions."""
    adopt(bus, database, event_store)
    kept, offsets = event_store.head()[0], event_store.offsets(bus.topic(EVENTS), *feeds(bus))
    commands = [register(f"Customer {number}") for number in range(3)]
    send(bus, COMMANDS, [command_message(one) for one in commands])
    with OPENERS["command"](bus, database) as worker:
        until(lambda: len(everything(bus, RESULTS)) == 3, worker.step)
    late = [(one.key, one.value, list(one.headers.items())) for one in everything(bus, RESULTS)]
    go_back(database, kept, offsets)
    empty(bus, RESULTS)  # they are not sent yet
    fill(event_store, 7)
    with OPENERS["command"](bus, database) as worker:
        until(lambda: event_store.head()[0] == kept + 7 + 3, worker.step)
    relay_all(bus, database, event_store)
    send(bus, RESULTS, [*late, *noise(late[0], 30)])

    with pytest.raises(StoreWentBack, match="the answers to 3 commands"), OPENERS["command"](bus, database):
        pass
    head = event_store.head()[0]
    done = recover(database, bus, discard=False, by="ann", reason="a test")
    assert (done.after, done.discarded, done.answered, done.tables) == (head, 0, 3, ())
    assert counting_answers(bus) == recorded_answers(event_store, commands)
    assert find(database, bus).is_in_order
    with OPENERS["command"](bus, database) as worker, OPENERS["projector"](bus, database) as projector:
        worker.step()
        relay_all(bus, database, event_store)
        arrive(projector, database, event_store)
    assert (event_store.head()[0], event_store.dead_letters(0, 10)) == (head, [])
    assert_true(database)
    assert_told(bus, event_store)


def test_what_the_store_has_decided_on_its_own_is_answered_again_where_its_events_are_told_anew(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    kept, _ = publish_and_lose(bus, database, event_store)
    own = [register(f"Customer {number}") for number in range(3)]
    worker = CommandWorker(bus, event_store, Publisher(bus), SystemClock())  # it looked before the lost events came
    try:
        send(bus, COMMANDS, [command_message(one) for one in own])
        until(lambda: len(everything(bus, RESULTS)) == 3, worker.step)
    finally:
        worker.close()
    done = recover(database, bus, discard=True, by="ann", reason="a test")
    assert (done.after, done.discarded, done.answered) == (kept, 40, 3)
    current = [one for one in everything(bus, RESULTS) if one.headers["ce_epoch"].decode() == done.epoch]
    assert sorted(str(json.loads(one.value or b"")["command_id"]) for one in current) == sorted(one["id"] for one in own)
    assert counting_answers(bus) == recorded_answers(event_store, own)
    assert find(database, bus).is_in_order


def counting_answers(bus: Bus) -> dict[str, tuple[str, list[int]]]:
    """By command what it was told, as docs/upstream.md has it: the epoch with the highest number counts, and in it the last."""
    counting: dict[str, tuple[int, str, list[int]]] = {}
    for one in everything(bus, RESULTS):
        told = json.loads(one.value or b"")
        number = int(one.headers["ce_epoch"].decode().partition("-")[0])
        if told["first_outcome"] and number >= counting.get(told["command_id"], (0,))[0]:
            counting[told["command_id"]] = number, told["first_outcome"], told["positions"]
    return {id: (outcome, positions) for id, (_, outcome, positions) in counting.items()}


def recorded_answers(store: EventStore, commands: list[dict[str, Any]]) -> dict[str, tuple[str, list[int]]]:
    documents = [one.document() for one in store.outcomes([UUID(one["id"]) for one in commands]).values()]
    assert len(documents) == len(commands)
    return {one["command_id"]: (one["first_outcome"], one["positions"]) for one in documents}


def empty(bus: Bus, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap)
    try:
        admin.delete_records({TopicPartition(bus.topic(topic), number): -1 for number in range(3)})
    finally:
        admin.close()


def noise(like: tuple[Any, Any, list[tuple[str, bytes]]], count: int) -> list[tuple[Any, Any, list[tuple[str, bytes]]]]:
    """Answers that say nothing of any outcome, on all partitions."""
    _, value, headers = like
    told = {**json.loads(value), "status": "undecodable", "first_outcome": None, "positions": []}
    return [(str(number).encode(), json.dumps(told).encode(), headers) for number in range(3 * count)]


class Sleeps(Publisher):
    """Comes to what it has to tell, and sleeps there for as long as it takes until a worker looks again."""

    def __init__(self, bus: Bus, meanwhile: Callable[[], object], topic: Topic = RESULTS) -> None:
        super().__init__(bus)
        self._meanwhile = meanwhile
        self._topic = bus.topic(topic)

    def send(self, topic: str, messages: Iterable[Outgoing], **more: Any) -> None:
        if topic == self._topic:
            self._meanwhile()
            time.sleep(LATE_S)
        super().send(topic, messages, **more)


@pytest.mark.parametrize("recovered", [False, True], ids=["gone back", "recovered"])
def test_a_worker_that_slept_before_its_answers_sends_none_that_the_store_has_lost(
    bus: Bus, database: Database, event_store: EventStore, *, recovered: bool
) -> None:
    adopt(bus, database, event_store)
    kept, offsets = event_store.head()[0], event_store.offsets(bus.topic(EVENTS), *feeds(bus))
    commands = [register(f"Customer {number}") for number in range(3)]

    def meanwhile() -> None:
        assert event_store.head()[0] == kept + 3
        relay_all(bus, database, event_store)
        go_back(database, kept, offsets)
        if recovered:
            assert recover(database, bus, discard=True, by="ann", reason="a test").discarded == 3
            fill(event_store, 7)

    send(bus, COMMANDS, [command_message(one) for one in commands])
    wrong = EpochOver if recovered else StoreWentBack
    with pytest.raises(wrong), open_command_worker(bus, database, Sleeps(bus, meanwhile)) as worker:
        until(lambda: False, worker.step)
    assert everything(bus, RESULTS) == []
    if recovered:
        with OPENERS["command"](bus, database) as worker:
            until(lambda: len(everything(bus, RESULTS)) == 3, worker.step)
        assert counting_answers(bus) == recorded_answers(event_store, commands)
        assert find(database, bus).is_in_order


@pytest.mark.parametrize("recovered", [False, True], ids=["gone back", "recovered"])
def test_a_relay_that_slept_before_its_page_publishes_nothing_that_the_store_has_lost(
    bus: Bus, database: Database, event_store: EventStore, *, recovered: bool
) -> None:
    adopt(bus, database, event_store)
    kept, offsets = event_store.head()[0], event_store.offsets(bus.topic(EVENTS), *feeds(bus))
    before = everything(bus, EVENTS)
    fill(event_store, 7)

    def meanwhile() -> None:
        go_back(database, kept, offsets)
        if recovered:
            with database.connect(Role.OWNER) as owner:
                begin_epoch(owner, 2, "2-test", after=kept, by="ann", reason="a test")
        fill(event_store, 8)

    with (
        pytest.raises(EpochOver if recovered else StoreWentBack),
        open_relay(bus, database, Sleeps(bus, meanwhile, EVENTS)) as relay,
    ):
        until(lambda: False, relay.step)
    assert everything(bus, EVENTS) == before


def test_a_relay_that_took_its_time_publishes_what_the_store_has(bus: Bus, database: Database, event_store: EventStore) -> None:
    adopt(bus, database, event_store)
    before = len(everything(bus, EVENTS))
    fill(event_store, 7)
    with open_relay(bus, database, Sleeps(bus, lambda: None, EVENTS)) as relay:
        until(lambda: len(everything(bus, EVENTS)) == before + 7, relay.step)


def test_a_worker_that_took_its_time_answers_what_the_store_has(bus: Bus, database: Database, event_store: EventStore) -> None:
    """Also what is refused, comes twice, or has another content under the same id."""
    first = register("First")
    refused = rename("Nobody", UUID("00000000-0000-4000-8000-000000000001"))
    send(bus, COMMANDS, [command_message(one) for one in (first, refused, first, {**register("Other"), "id": first["id"]})])
    with open_command_worker(bus, database, Sleeps(bus, lambda: None)) as worker:
        until(lambda: len(everything(bus, RESULTS)) == 4, worker.step)
    told = sorted(json.loads(one.value or b"")["status"] for one in everything(bus, RESULTS))
    assert told == ["accepted", "duplicate", "refused", "refused"]


def test_answers_about_what_is_no_command_say_nothing_of_the_store(bus: Bus, database: Database, event_store: EventStore) -> None:
    key, _, headers = command_message(register())
    send(bus, COMMANDS, [(key, b"no JSON", headers)])
    with OPENERS["command"](bus, database) as worker:
        until(lambda: len(everything(bus, RESULTS)) == 1, worker.step)
    assert json.loads(everything(bus, RESULTS)[0].value or b"")["status"] == "undecodable"
    with OPENERS["command"](bus, database) as worker:
        worker.step()
    assert find(database, bus).is_in_order


def test_what_kafka_still_has_is_put_back(bus: Bus, database: Database, event_store: EventStore) -> None:
    trace = Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1")
    first, second = register("First"), {**register("Second"), "traceparent": trace.parent, "tracestate": trace.state}
    refused = {**rename("Nobody", "00000000-0000-4000-8000-000000000001"), "id": "00000000-0000-4000-8000-000000000002"}
    adopt(bus, database, event_store)
    with OPENERS["command"](bus, database) as worker:
        send(bus, COMMANDS, [command_message(first)])
        until(lambda: len(everything(bus, RESULTS)) == 1, worker.step)
    kept, offsets = event_store.head()[0], event_store.offsets(bus.topic(EVENTS), *feeds(bus))
    with OPENERS["command"](bus, database) as worker:
        send(bus, COMMANDS, [command_message(one) for one in (second, refused, rename("New", first["subject"]))])
        until(lambda: len(everything(bus, RESULTS)) == 4, worker.step)
    relay_all(bus, database, event_store)
    events, outcomes, traces = event_store.read_raw(0, 1000), outcomes_of(database), event_store.traces(0, 1000)
    assert traces == {kept + 1: trace}
    go_back(database, kept, offsets)
    assert event_store.traces(0, 1000) == {}

    line = ltc(bus, database)
    told = line.json("recover", exits=1)
    assert (told["common"], told["lost"], told["can_put_back"]) == (kept, len(events) - kept, True)
    assert event_store.head()[0] == kept, "it only looked"
    done = line.json("recover", "--yes", "--by", "ann", "--reason", "the disk broke")
    assert (done["put_back"], done["outcomes"], done["discarded"]) == (2, 3, 0)
    assert event_store.read_raw(0, 1000) == events, "as they were, with their times"
    assert (outcomes_of(database), event_store.traces(0, 1000)) == (outcomes, traces)
    assert line.json("recover")["in_order"]

    with OPENERS["command"](bus, database) as worker:
        until(lambda: len(everything(bus, RESULTS)) == 7, worker.step)
    assert event_store.read_raw(0, 1000) == events, "taken again, they have no second effect"
    with OPENERS["projector"](bus, database) as worker:
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store)
    assert_true(database)
    assert_told(bus, event_store)
    current = event_store.epochs().current
    assert (current.number, current.after, current.begun_by, current.reason) == (2, len(events), "ann", "the disk broke")


def test_without_them_commands_are_decided_anew_once_each(bus: Bus, database: Database, event_store: EventStore) -> None:
    adopt(bus, database, event_store)
    kept, offsets = event_store.head()[0], event_store.offsets(bus.topic(EVENTS))
    commands = [register(f"Customer {number}") for number in range(6)]
    with OPENERS["command"](bus, database) as worker:
        send(bus, COMMANDS, [command_message(one) for one in commands])
        until(lambda: len(everything(bus, RESULTS)) == 6, worker.step)
    relay_all(bus, database, event_store)
    with OPENERS["projector"](bus, database) as projector:
        arrive(projector, database, event_store)
    go_back(database, kept, offsets)  # the read tables stay: they are ahead
    fill(event_store, 6)  # and the store has gone on by itself

    with pytest.raises(CannotPutBack, match="recorded 6 events of its own"):
        recover(database, bus, discard=False, by="ann", reason="a test")
    done = recover(database, bus, discard=True, by="ann", reason="a test")
    assert (done.after, done.discarded, set(done.tables)) == (kept, 6, {one.table for one in SOME})
    with OPENERS["command"](bus, database) as worker:
        until(lambda: event_store.head()[0] == kept + 6 + 6, worker.step)
        until(lambda: len(everything(bus, RESULTS)) == 12, worker.step)
    ids = {one.command_id for one in event_store.read_raw(kept, 100)}
    assert {str(one) for one in ids} >= {one["id"] for one in commands}
    with OPENERS["projector"](bus, database) as projector:
        relay_all(bus, database, event_store)
        arrive(projector, database, event_store)
    assert_true(database)
    assert_told(bus, event_store)
    assert event_store.dead_letters(0, 10) == [], "what was lost is no garbage"
    assert find(database, bus).is_in_order

    # Once more: the topic knows of an epoch that the store never had.
    go_back(database, kept, offsets)
    with database.connect(Role.OWNER) as owner:
        owner.execute("ALTER TABLE ltc.epochs DISABLE TRIGGER append_only")
        owner.execute("DELETE FROM ltc.epochs WHERE number > 1")
    for opener in OPENERS.values():
        with pytest.raises(StoreWentBack), opener(bus, database) as opened:  # noqa: PT012
            for _ in range(20):
                opened.step()
    done = recover(database, bus, discard=True, by="ann", reason="again")
    assert done.epoch.startswith("3-")
    with OPENERS["projector"](bus, database) as projector, OPENERS["relay"](bus, database) as relay:
        until(lambda: not relay.is_standing_by, relay.step)
        relay.step()
        arrive(projector, database, event_store)
    assert_true(database)
    assert_told(bus, event_store)


def test_nothing_is_decided_while_a_relay_is_at_work(bus: Bus, database: Database, event_store: EventStore) -> None:
    fill(event_store)
    with OPENERS["relay"](bus, database) as relay:
        relay.step()
        with pytest.raises(RelayAtWork):
            recover(database, bus, discard=False, by="ann", reason="a test")
    assert find(database, bus).is_in_order


def test_read_tables_alone(database: Database, event_store: EventStore) -> None:
    from ltc_events.projections.following.store_runner import open_runner
    from ltc_events.projections.tables.registry import PROJECTIONS

    fill(event_store)
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    go_back(database, 40)
    fill(event_store)
    line = Ltc(LTC_DATABASE_URL=database.conninfo)
    assert len(line.json("recover", exits=1)["tables"]) == len(PROJECTIONS)
    done = line.json("recover", "--yes", "--reason", "the disk broke")
    assert len(done["tables"]) == len(PROJECTIONS)
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    assert_true(database)
    line.json("report", "trial-balance")
    assert line.json("recover")["in_order"]


def feeds(bus: Bus) -> tuple[str, str]:
    return bus.topic(COMMANDS), f"{bus.topic(COMMANDS)}/answers"


def outcomes_of(database: Database) -> list[tuple[Any, ...]]:
    with database.connect(Role.OWNER) as owner:
        return owner.execute(
            "SELECT command_id, command_type, content_hash, status, first_position, last_position, reasons, content"
            " FROM ltc.outcomes ORDER BY command_id"
        ).fetchall()


def test_read_tables_that_went_back_with_the_store_take_in_nothing_that_is_void(
    bus: Bus, server: TestServer, database: Database, event_store: EventStore
) -> None:
    """A backup of all of it: the tables are not ahead, and read on where what was lost lies on the topic."""
    name = str(conninfo_to_dict(database.conninfo)["dbname"])
    adopt(bus, database, event_store)
    kept = event_store.head()[0]
    event_store.close()
    backup = server.create_from(database)
    fill(event_store, 40)
    relay_all(bus, database, event_store)
    event_store.close()
    server.put_in_place_of(backup, name)
    with EventStore(database, Role.WRITER) as store:
        look_at_what_follows(bus, database, store, kept)


def look_at_what_follows(bus: Bus, database: Database, event_store: EventStore, kept: int) -> None:
    fill(event_store, 50)  # at the same positions, and beyond
    done = recover(database, bus, discard=True, by="ann", reason="a test")
    assert (done.after, done.discarded, done.tables) == (kept, 40, ())
    with OPENERS["projector"](bus, database) as projector:
        relay_all(bus, database, event_store)
        arrive(projector, database, event_store)
    assert_true(database)
    assert_told(bus, event_store)
    assert event_store.dead_letters(0, 10) == []


@pytest.mark.parametrize("told", [False, True], ids=["not told of it", "told of it"])
def test_a_projector_that_slept_through_a_recovery_takes_in_nothing_that_is_void(
    bus: Bus, database: Database, event_store: EventStore, *, told: bool
) -> None:
    """Its connections hold, and what lies on the topic for it is what it waited for: only the store knows of the new epoch."""
    adopt(bus, database, event_store)
    kept, offsets = event_store.head()[0], event_store.offsets(bus.topic(EVENTS))
    with OPENERS["projector"](bus, database) as projector:
        until(lambda: len(projector.partitions) == PARTITIONS, projector.step)
        fill(event_store, 40)
        relay_all(bus, database, event_store)
        go_back(database, kept, offsets)
        done = recover(database, bus, discard=True, by="ann", reason="a test")
        assert (done.after, done.discarded, done.tables) == (kept, 40, ())
        fill(event_store, 50)  # at the same positions, and beyond
        if not told:
            for _ in range(20):
                projector.step()
        relay_all(bus, database, event_store)
        arrive(projector, database, event_store)
    assert_true(database)
    assert event_store.dead_letters(0, 10) == []
    assert find(database, bus).is_in_order


def test_what_a_projector_is_writing_when_an_epoch_begins_is_seen_by_who_begins_it(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    """It has moved a checkpoint to what is void by now, and has yet to commit."""
    adopt(bus, database, event_store)
    kept, offsets = event_store.head()[0], event_store.offsets(bus.topic(EVENTS))
    fill(event_store, 40)
    relay_all(bus, database, event_store)
    go_back(database, kept, offsets)
    with database.connect(Role.PROJECTOR) as writing, ThreadPoolExecutor() as side:
        build = shown_build(writing, Customers.table)
        vector = vector_of(writing, build)
        partition, position = next(iter(vector.positions.items()))
        epoch = event_store.epochs().current.name
        move_checkpoints(
            writing, vector.source, [((build.place, build.version), Move(partition, position, kept + 10, epoch=epoch))]
        )
        recovering = side.submit(recover, database, bus, discard=True, by="ann", reason="a test")
        with database.connect(Role.OWNER, autocommit=True) as owner:
            until(lambda: recovering.done() or owner.execute(WAITS_FOR_CHECKPOINTS).fetchone() is not None)
        writing.commit()
        done = recovering.result()
        assert (done.discarded, done.tables) == (40, (Customers.table,))
        with pytest.raises(CheckpointMoved):
            move_checkpoints(
                writing, vector.source, [(("timeline", Timeline.version), Move(partition, position, kept + 10, epoch=epoch))]
            )
    fill(event_store, 50)
    relay_all(bus, database, event_store)
    with OPENERS["projector"](bus, database) as projector:
        until(lambda: source_of(database) == bus.topic(EVENTS), projector.step)
        arrive(projector, database, event_store)
    assert_true(database)


def test_when_all_that_waited_has_expired_the_worker_says_so_at_its_start(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    send(bus, COMMANDS, [command_message(register(f"Customer {number}")) for number in range(9)])
    admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap)
    try:
        admin.delete_records({TopicPartition(bus.topic(COMMANDS), number): -1 for number in range(3)})
    finally:
        admin.close()
    with pytest.raises(CommandsExpired, match="9 messages"), OPENERS["command"](bus, database) as worker:
        until(lambda: False, worker.step)
