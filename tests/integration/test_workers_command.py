"""The command worker with a real broker and a real store: one effect for each command, an answer for each message."""

import gc
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

import pytest
from tests.broker import Arrived, everything, send, until
from tests.commands import register, rename

from ltc_events.application.clock import SystemClock
from ltc_events.bus.cloudevents import RESULT_TYPE, command_message
from ltc_events.bus.connection_check import BusUnreachable
from ltc_events.bus.consumer import FeedReplaced
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.records import Outgoing
from ltc_events.bus.topic_creation import TopicMissing
from ltc_events.bus.topics import COMMANDS, DEAD_LETTERS, RESULTS, Bus
from ltc_events.schemas.outcome import Status
from ltc_events.store import Database, EventStore, Offset, Role
from ltc_events.workers.command import CommandWorker, open_command_worker

ROOT = Path(__file__).parents[2]
Start = Callable[..., CommandWorker]


@pytest.fixture
def start(bus: Bus, database: Database) -> Iterator[Start]:
    """Starts command workers of a group each."""
    with ExitStack() as stack:

        def begin(store: EventStore | None = None) -> CommandWorker:
            own = store or stack.enter_context(EventStore(database, Role.WRITER))
            publisher = stack.enter_context(Publisher(bus))
            worker = CommandWorker(bus, own, publisher, SystemClock(), group=f"group-{uuid4()}")
            stack.callback(worker.close)
            return worker

        yield begin


def messages(*documents: dict[str, Any]) -> list[Outgoing]:
    return [command_message(one) for one in documents]


def answered(bus: Bus, store: EventStore) -> int:
    """How many messages of the commands are done with, answers and all."""
    feed = f"{bus.topic(COMMANDS)}/answers"
    return sum(store.offsets(feed).values())


def results(bus: Bus) -> list[tuple[str, Arrived]]:
    return [(json.loads(one.value or b"")["command_id"], one) for one in everything(bus, RESULTS)]


def some_commands(count: int) -> list[dict[str, Any]]:
    """Customers who register, change their names, and one command that is refused."""
    customers = [uuid4() for _ in range(count)]
    made = [register(f"Customer {number}", customer) for number, customer in enumerate(customers)]
    made += [rename(f"New name {number}", customer) for number, customer in enumerate(customers)]
    return [*made, rename("nobody", uuid4())]


def test_every_command_has_one_effect_and_every_message_an_answer(bus: Bus, event_store: EventStore, start: Start) -> None:
    commands = some_commands(40)
    sent = [*commands, *commands[::3], *commands[::7]]
    send(bus, COMMANDS, messages(*sent))
    worker = start()
    until(lambda: answered(bus, event_store) == len(sent), worker.step)
    assert Counter(id for id, _ in results(bus)) == Counter(one["id"] for one in sent)
    by_status = Counter(json.loads(one.value or b"")["status"] for _, one in results(bus))
    assert by_status == {"accepted": 80, "refused": 1, "duplicate": len(sent) - 81}
    assert len(event_store.read(0, 1000)) == 80
    first_outcomes = {(id, json.loads(one.value or b"")["first_outcome"]) for id, one in results(bus)}
    assert len(first_outcomes) == len(commands), "whatever is sent again is answered as it was the first time"


def test_an_answer_is_a_cloudevent_for_the_customer(bus: Bus, event_store: EventStore, start: Start) -> None:
    command = {**register(), "correlationid": str(uuid4())}
    send(bus, COMMANDS, messages(command))
    until(lambda: answered(bus, event_store) == 1, start().step)
    ((_, answer),) = results(bus)
    assert answer.key == command["partitionkey"].encode()
    assert answer.headers["ce_type"] == RESULT_TYPE.encode()
    assert answer.headers["ce_correlationid"] == command["correlationid"].encode()
    assert answer.headers["ce_causationid"] == command["id"].encode()
    assert json.loads(answer.value or b"")["positions"] == [1]


def test_garbage_is_kept_as_it_came_and_stops_nobody(bus: Bus, event_store: EventStore, start: Start) -> None:
    key, value, headers = command_message(register())
    garbage: list[Outgoing] = [
        (key, b"not json", headers),
        (key, b"\xff\x00", []),
        (None, value, headers),
        (b"somebody else", value, headers),
        (key, None, headers),
        (key, value, [("ce_id", b"\xff\xfe"), *headers[1:]]),
        (key, value, [one if one[0] != "ce_type" else ("ce_type", b"ltc.nothing.do.v1\0") for one in headers]),
        (b"\0\xff", value, [("odd\0name", b"\0")]),
    ]
    send(bus, COMMANDS, [*garbage[:4], (key, value, headers), *garbage[4:]])
    until(lambda: answered(bus, event_store) == len(garbage) + 1, start().step)
    id = dict(headers)["ce_id"].decode()
    told = [json.loads(answer.value or b"") for _, answer in results(bus)]
    assert [answer["command_id"] for answer in told] == [id] * len(told)
    assert sorted(answer["status"] for answer in told) == ["accepted", *["undecodable"] * (len(told) - 1)]
    assert all(answer["reasons"][0]["fix"] for answer in told if answer["status"] == "undecodable")
    letters = event_store.dead_letters(0, 100)
    assert sorted(one.raw for one in letters) == sorted(value or b"" for _, value, _ in garbage)
    for letter in letters:
        assert letter.source == bus.topic(COMMANDS)
        assert letter.reason
        assert letter.origin is not None
        assert letter.origin["topic"] == bus.topic(COMMANDS)
    other = next(one for one in letters if "somebody else" in one.reason)
    assert other.origin is not None
    assert other.origin["key"] == {"text": "somebody else"}
    assert ["ce_id", {"text": dict(headers)["ce_id"].decode()}] in other.origin["headers"]
    copies = everything(bus, DEAD_LETTERS)
    assert len(copies) == len(garbage)
    assert all(one.headers["ltc_reason"] for one in copies)
    assert {(int(one.headers["ltc_partition"]), int(one.headers["ltc_offset"])) for one in copies} == {
        (letter.origin["partition"], letter.origin["offset"]) for letter in letters if letter.origin
    }


class RawName(str):
    """A header's name that goes out as bytes which are no text."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:
        return b"\xff\xfe" + super().encode()


def test_names_of_headers_that_are_no_text_stop_nobody(bus: Bus, event_store: EventStore, start: Start) -> None:
    (key, value, headers), other = messages(register("One"), register("Other"))
    odd = (RawName("odd"), b"\xff")
    sent = [(key, value, [*headers, odd]), (b"x", None, [("a", b""), odd, (RawName("o" * 200), b"y" * 200)]), other]
    send(bus, COMMANDS, sent)
    until(lambda: answered(bus, event_store) == 3, start().step)
    assert len(results(bus)) == 2, "a header that is not ours does no harm"
    (letter,) = event_store.dead_letters(0, 10)
    assert letter.origin is not None
    names = [name for name, _ in letter.origin["headers"]]
    assert names == ["a", r"\xff\xfeodd", r"\xff\xfe" + "o" * 200]
    assert [content for _, content in letter.origin["headers"]][1:] == [{"base64": "/w=="}, {"text": "y" * 200}]


def test_the_largest_garbage_goes_to_the_dead_letters_too(bus: Bus, event_store: EventStore, start: Start) -> None:
    send(bus, COMMANDS, [(b"x", b"\xff" * 1_048_000, []), command_message(register())])
    until(lambda: answered(bus, event_store) == 2, start().step)
    assert [len(one.raw) for one in event_store.dead_letters(0, 10)] == [1_048_000]
    assert len(results(bus)) == len(everything(bus, DEAD_LETTERS)) == 1


def test_structured_commands_are_understood(bus: Bus, event_store: EventStore, start: Start) -> None:
    command = register()
    structured = (
        command["partitionkey"].encode(),
        json.dumps(command).encode(),
        [("content-type", b"application/cloudevents+json")],
    )
    send(bus, COMMANDS, [structured])
    until(lambda: answered(bus, event_store) == 1, start().step)
    assert event_store.outcomes([UUID(command["id"])])[UUID(command["id"])].status is Status.ACCEPTED


@pytest.mark.parametrize(
    "point",
    [
        "before-append",
        "after-append",
        "before-commit",
        "after-commit",
        "before-send-2",
        "after-send",
        "before-advance",
        "after-advance",
    ],
)
def test_a_killed_worker_repeats_answers_and_never_effects(
    bus: Bus, database: Database, event_store: EventStore, start: Start, point: str
) -> None:
    commands = some_commands(10)
    send(bus, COMMANDS, [*messages(*commands), (b"x", b"garbage", [])])
    words = ["command", point, database.conninfo, bus.bootstrap, bus.prefix]
    died = subprocess.run(
        [sys.executable, "-m", "tests.dying_worker", *words],
        cwd=ROOT,
        env=environment(),
        timeout=60,
        check=False,
        capture_output=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    until(lambda: answered(bus, event_store) == len(commands) + 1, start().step)
    assert {id for id, _ in results(bus)} == {one["id"] for one in commands}
    assert len({(id, json.loads(one.value or b"")["first_outcome"]) for id, one in results(bus)}) == len(commands)
    assert len(event_store.read(0, 1000)) == 20
    assert len(event_store.dead_letters(0, 10)) == 1


def test_a_worker_that_was_replaced_in_its_sleep_writes_nothing(bus: Bus, database: Database, start: Start) -> None:
    class Sleeping(EventStore):
        """Between deciding and storing, another worker does the same work."""

        rival: Callable[[], object] | None = None
        refused = 0

        def begin_append(self, commit: Any) -> Callable[[], int]:
            rival, self.rival = self.rival, None
            if rival is not None:
                rival()
            return super().begin_append(commit)

    commands = some_commands(10)
    with Sleeping(database, Role.WRITER) as store, EventStore(database, Role.WRITER) as watching:
        sleeper, rival = start(store), start()
        send(bus, COMMANDS, messages(*commands))
        store.rival = lambda: until(lambda: answered(bus, watching) == len(commands), rival.step)
        until(lambda: store.rival is None, sleeper.step)
        later = some_commands(5)
        send(bus, COMMANDS, messages(*later))
        in_hand, fetch = [], sleeper._fetch
        sleeper._fetch = lambda _: in_hand.append(fetch(10)) or in_hand[-1]  # type: ignore[method-assign,func-returns-value]
        sleeper.step()
        sleeper._fetch = fetch  # type: ignore[method-assign]
        assert in_hand[0], "it had the next messages when it heard that it was replaced"
        assert len(watching.read(0, 1000)) == 20
        assert sorted(id for id, _ in results(bus)) == sorted(one["id"] for one in commands), "the sleeper answered nothing"
        until(lambda: answered(bus, watching) == len(commands) + len(later), sleeper.step)
        assert len(watching.read(0, 1000)) == 30, "awake again, it goes on where the other one was"
        assert sorted(id for id, _ in results(bus)) == sorted(one["id"] for one in [*commands, *later])


class Watched(EventStore):
    """Notes what is given to be stored, and when it is heard that it was."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.notes: list[str] = []

    def begin(self, *given: Any) -> Any:
        self.notes.append("decide")
        return super().begin(*given)

    def begin_append(self, commit: Any) -> Callable[[], int]:
        end = super().begin_append(commit)
        self.notes.append(f"give {len(commit.outcomes)}")

        def noted() -> int:
            base = end()
            self.notes.append("hear")
            return base

        return noted


def test_while_a_batch_is_stored_the_next_one_is_fetched(bus: Bus, database: Database, start: Start) -> None:
    with Watched(database, Role.WRITER) as store:
        worker = start(store)
        until(lambda: bool(worker.partitions), worker.step)
        commands = some_commands(400)
        send(bus, COMMANDS, messages(*commands))
        fetched: list[tuple[str, ...]] = []
        prepare = worker._pipeline.prepare

        def preparing(documents: Any) -> Any:
            fetched.append(tuple(store.notes))
            return prepare(documents)

        worker._pipeline.prepare = preparing  # type: ignore[method-assign]
        until(lambda: answered(bus, store) == len(commands), worker.step)
        assert [one for one in fetched if one and one[-1].startswith("give")], "one was under way when another was prepared"
        given = [int(one.split()[1]) for one in store.notes if one.startswith("give")]
        assert sum(given) == len(commands)
        in_turn = [note for count in given for note in ("decide", f"give {count}", "hear")]
        assert store.notes == in_turn, "nothing is decided before it is heard that the one before is stored"
        order = {one["id"]: number for number, one in enumerate(commands)}
        told = [(one.key, order[id]) for id, one in results(bus)]
        assert len(told) == len(commands)
        in_order = sorted(told, key=lambda one: one[1])
        assert sorted(told, key=lambda one: one[0] or b"") == sorted(in_order, key=lambda one: one[0] or b""), (
            "a customer's answers are in the order of his commands"
        )


@pytest.mark.parametrize("what", ["rewind", "finish"])
def test_a_batch_under_way_is_answered_before_anything_else(bus: Bus, database: Database, start: Start, what: str) -> None:
    """Before places are looked up, which a new assignment asks for, and before the worker ends."""
    with Watched(database, Role.WRITER) as store:
        worker = start(store)
        commands = some_commands(10)
        send(bus, COMMANDS, messages(*commands))
        until(lambda: bool(store.notes), worker.step)
        assert store.notes[-1].startswith("give")
        before = len(results(bus))
        {"rewind": worker._feed.rewind, "finish": worker.finish}[what]()
        assert store.notes[-1] == "hear"
        assert len(results(bus)) - before == int(store.notes[-2].split()[1])
        assert answered(bus, store) == len(results(bus))
        until(lambda: answered(bus, store) == len(commands), worker.step)
        assert sorted(id for id, _ in results(bus)) == sorted(one["id"] for one in commands)


def test_a_batch_nobody_waits_for_any_more_is_answered_by_the_next_worker(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    """The broker cannot be reached while it is being stored: the worker is given up, as by its loop, and begins anew."""
    commands = some_commands(10)
    usual = gc.get_threshold()
    with suppress(BusUnreachable), open_command_worker(bus, database, Publisher(bus)) as worker:
        assert gc.get_threshold() != usual, "a worker's process collects garbage rarely"
        send(bus, COMMANDS, messages(*commands))
        until(lambda: worker._under_way is not None, worker.step)

        def gone(_: float) -> NoReturn:
            raise BusUnreachable(bootstrap=bus.bootstrap, reason="it went away")

        worker._feed.poll = gone  # type: ignore[method-assign]
        worker.step()
        pytest.fail("it should have heard that the broker is gone")
    assert gc.get_threshold() == usual
    with open_command_worker(bus, database, Publisher(bus)) as worker:
        until(lambda: answered(bus, event_store) == len(commands), worker.step)
    assert len(event_store.read(0, 1000)) == 20
    assert sorted(id for id, _ in results(bus)) == sorted(one["id"] for one in commands)


def test_two_workers_share_the_partitions(bus: Bus, database: Database, event_store: EventStore) -> None:
    with (
        open_command_worker(bus, database, Publisher(bus)) as one,
        open_command_worker(bus, database, Publisher(bus)) as other,
    ):
        workers = [one, other]

        def step() -> None:
            for worker in workers:
                worker.step()

        until(lambda: bool(one.partitions and other.partitions), step)
        assert not set(one.partitions) & set(other.partitions)
        commands = some_commands(30)
        send(bus, COMMANDS, messages(*commands))
        until(lambda: answered(bus, event_store) == len(commands), step)
        assert len(event_store.read(0, 1000)) == 60
        assert {id for id, _ in results(bus)} == {command["id"] for command in commands}


def test_a_topic_that_was_made_anew_is_refused(bus: Bus, event_store: EventStore, start: Start) -> None:
    event_store.advance([Offset(bus.topic(COMMANDS), 0, 0, 100), Offset(f"{bus.topic(COMMANDS)}/answers", 0, 0, 100)])
    worker = start()
    with pytest.raises(FeedReplaced, match="100"):
        until(lambda: False, worker.step)


def test_without_topics_it_says_what_to_do(bus: Bus, database: Database) -> None:
    absent = Bus(bus.bootstrap, "nobody")
    with pytest.raises(TopicMissing) as error, open_command_worker(absent, database, Publisher(absent)):
        pass
    assert "ltc init --kafka" in error.value.fix


def environment() -> dict[str, str]:
    return {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin"}
