"""Dead letters tried again: through the command path, once, with all that was done about them on record."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from tests.broker import everything, send, until
from tests.commands import register, rename
from tests.e2e.test_cli import Ltc

from ltc_events.application.clock import SystemClock
from ltc_events.application.dead_letters import (
    AlreadyAccepted,
    CannotBeTried,
    CommandAttempt,
    DeadLetterService,
    NoSuchLetter,
    Standing,
)
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.consumer import Polled
from ltc_events.bus.origin import command_of, message_of, origin_of
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import COMMANDS, RESULTS, Bus
from ltc_events.store import Commit, Database, DeadLetter, EventStore, Role
from ltc_events.store.dead_letters import DeadLetterLog, DeadLetterState, StepKind
from ltc_events.workers.command import open_command_worker

ANN = {"by": "ann"}


class CutOff(Exception):
    """The process ended."""


class Book(DeadLetterLog):
    """A book whose owner may be gone before a result is written down."""

    is_cut_off = False

    def note(self, id: int, step: StepKind, **more: Any) -> None:
        if self.is_cut_off and step not in (StepKind.ATTEMPTED, StepKind.DISCARDED):
            raise CutOff
        super().note(id, step, **more)


class Service(DeadLetterService):
    """A service with its own connections, and what it needs at hand."""

    def __init__(self, database: Database) -> None:
        self.store, self.book = EventStore(database, Role.WRITER), Book(database)
        super().__init__(
            self.store, self.book, {"command": CommandAttempt(CommandPipeline(self.store, SystemClock()), command_of)}
        )

    def close(self) -> None:
        self.book.__exit__()
        self.store.close()

    def steps(self, id: int) -> list[str]:
        return [one.step for one in self.store.dead_letter_steps(id)]

    def events(self) -> int:
        return len(self.store.read(0, 100))


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    service = Service(database)
    yield service
    service.close()


def keep(store: EventStore, raw: bytes, origin: bytes | None = None) -> int:
    """A letter, as a version that did not understand it has kept it; its id."""
    store.append(Commit(dead_letters=[DeadLetter("ltc.commands", raw, "not known here", origin)]))
    return store.dead_letters(0, 1000)[-1].id


def body(command: dict[str, Any]) -> bytes:
    return json.dumps(command).encode()


def message(command: dict[str, Any]) -> Polled:
    key, value, headers = command_message(command)
    return Polled(3, 17, key, value, tuple(headers))


@pytest.mark.parametrize("headers", [(), (("ce_id", b"1"), ("odd", b"\xff\0"), ("none", None), ("twice", b"a"), ("twice", b"b"))])
@pytest.mark.parametrize(("key", "value"), [(b"key", b"value"), (None, b"v"), (b"\0", None), (b"\xff", b"")])
def test_a_message_is_the_same_again(key: bytes | None, value: bytes | None, headers: Any) -> None:
    origin = json.loads(origin_of("ltc.commands", Polled(1, 2, key, value, headers)))
    assert message_of(origin, value or b"") == (key, value, list(headers))


def test_a_letter_that_is_understood_by_now_is_accepted_as_it_came(service: Service) -> None:
    command = register()
    polled = message(command)
    id = keep(service.store, polled.value or b"", origin_of("ltc.commands", polled))
    standing = service.retry(id, **ANN, reason="the new version knows the type")
    assert standing.state is DeadLetterState.ACCEPTED
    (record,) = service.store.read(0, 10)
    assert record.command_id == UUID(command["id"])
    attempted, accepted = service.store.dead_letter_steps(id)
    assert (attempted.step, attempted.made_by, attempted.reason) == ("attempted", "ann", "the new version knows the type")
    assert (accepted.step, accepted.command_id) == ("accepted", UUID(command["id"]))
    (letter,) = service.store.dead_letters(0, 10)
    assert (letter.state, letter.attempts, letter.raw) == ("accepted", 1, polled.value), "the letter itself stays as it came"


def test_tried_twice_it_has_one_effect(service: Service) -> None:
    id = keep(service.store, b"garbage")
    service.retry(id, **ANN, document=body(register("One")))
    again = service.retry(id, **ANN, document=body(register("Other")))
    assert again == Standing(id, DeadLetterState.ACCEPTED, None)
    assert service.events() == 1
    assert service.steps(id) == ["attempted", "accepted"]


def test_two_people_at_once_have_one_effect(database: Database, service: Service) -> None:
    id = keep(service.store, b"garbage")
    done: list[Standing] = []

    def work(number: int) -> None:
        own = Service(database)
        done.append(own.retry(id, by=f"person {number}", document=body(register(f"Customer {number}"))))
        own.close()

    people = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join(30)
    assert [one.state for one in done] == [DeadLetterState.ACCEPTED] * 4
    assert service.events() == 1
    assert service.steps(id) == ["attempted", "accepted"]


@pytest.mark.parametrize("other", [None, register("Somebody else")])
def test_an_attempt_that_was_cut_off_is_brought_to_its_end_first(service: Service, other: dict[str, Any] | None) -> None:
    command = register()
    id = keep(service.store, body(command))
    service.book.is_cut_off = True
    with pytest.raises(CutOff):
        service.retry(id, **ANN)
    assert service.store.dead_letters(0, 10)[0].state == "open"
    service.book.is_cut_off = False
    standing = service.retry(id, by="bob", document=None if other is None else body(other))
    assert standing.state is DeadLetterState.ACCEPTED
    assert standing.result is not None
    assert standing.result.command_id == UUID(command["id"])
    assert service.events() == 1, "what it did the first time is all that it does"
    assert service.steps(id) == ["attempted", "accepted"]


def test_a_refused_letter_can_be_mended_and_tried_again(service: Service) -> None:
    customer = uuid4()
    id = keep(service.store, body(rename("too early", customer)))
    refused = service.retry(id, **ANN)
    assert refused.state is DeadLetterState.REFUSED
    assert refused.result is not None
    assert [one.code for one in refused.result.reasons] == ["does_not_exist"]
    assert service.retry(id, **ANN, document=body(register(customer=customer))).state is DeadLetterState.ACCEPTED
    assert service.steps(id) == ["attempted", "refused", "attempted", "accepted"]


def test_what_is_still_no_command_stays_open_and_is_no_new_letter(service: Service) -> None:
    id = keep(service.store, b"garbage\0")
    for document in (None, b"\xff", b"[]"):
        standing = service.retry(id, **ANN, document=document)
        assert standing.state is DeadLetterState.OPEN
        assert standing.result is not None
        assert standing.result.detail
    (letter,) = service.store.dead_letters(0, 10)
    assert (letter.state, letter.attempts) == ("open", 3)
    assert [one.sent for one in service.store.dead_letter_steps(id)][::2] == [None, b"\xff", b"[]"]


def test_discarding_keeps_the_letter_and_the_reason(service: Service) -> None:
    id = keep(service.store, b"garbage")
    for _ in range(2):
        assert service.discard(id, by="ann", reason="a test of the sender's").state is DeadLetterState.DISCARDED
    (step,) = service.store.dead_letter_steps(id)
    assert (step.made_by, step.reason) == ("ann", "a test of the sender's")
    assert [one.raw for one in service.store.dead_letters(0, 10, states=["discarded"])] == [b"garbage"]
    assert service.retry(id, **ANN, document=body(register())).state is DeadLetterState.ACCEPTED, "somebody thought better of it"
    with pytest.raises(AlreadyAccepted):
        service.discard(id, by="ann", reason="too late")
    with pytest.raises(NoSuchLetter):
        service.discard(id + 1, by="ann", reason="there is none")


def test_a_letter_of_another_kind_is_named_and_can_be_discarded(service: Service, database: Database) -> None:
    id = keep(service.store, b"garbage")
    with database.connect(Role.WRITER) as writer:
        writer.execute("INSERT INTO ltc.dead_letters (source, raw, reason, kind) VALUES ('ltc.events', 'x', 'no', 'event')")
    with pytest.raises(CannotBeTried, match="event"):
        service.retry(id + 1, **ANN)
    assert service.steps(id + 1) == []
    assert service.discard(id + 1, by="ann", reason="somebody else's").state is DeadLetterState.DISCARDED


def test_states_and_sources_are_told_apart(service: Service) -> None:
    ids = [keep(service.store, body(register(f"Customer {number}"))) for number in range(3)]
    service.store.append(Commit(dead_letters=[DeadLetter("submit", b"x", "no")]))
    service.retry(ids[0], **ANN)
    service.discard(ids[1], by="ann", reason="no")
    found = {state.value: [one.id for one in service.store.dead_letters(0, 10, states=[state])] for state in DeadLetterState}
    assert found == {"accepted": ids[:1], "discarded": ids[1:2], "open": [ids[2], ids[2] + 1], "refused": []}
    assert [one.raw for one in service.store.dead_letters(0, 10, source="submit")] == [b"x"]


def test_only_the_writer_may_write_in_the_book(database: Database, service: Service) -> None:
    id = keep(service.store, b"garbage")
    wanted = "INSERT INTO ltc.dead_letter_steps (dead_letter_id, made_by, step, reason) VALUES (%s, 'eve', 'discarded', '')"
    for role in (Role.PROJECTOR, Role.READER):
        with database.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(wanted, (id,))


def test_from_the_command_line_its_sender_gets_the_outcome(bus: Bus, database: Database, event_store: EventStore) -> None:
    command = register()
    key, value, _ = command_message(command)
    # What a sender forgot: the headers.
    send(bus, COMMANDS, [(key, value, []), (key, b"nothing", [])])
    with open_command_worker(bus, database, Publisher(bus)) as worker:
        until(lambda: len(event_store.dead_letters(0, 10)) == 2, worker.step)
    ltc = Ltc(LTC_DATABASE_URL=database.conninfo, LTC_KAFKA_BOOTSTRAP=bus.bootstrap, LTC_KAFKA_PREFIX=bus.prefix)
    first, second = (one["id"] for one in ltc.json("dead-letters", "list", "--state", "open")["dead_letters"])
    words = ("dead-letters", "retry", str(first), "--with", "-", "--by", "ann", "--reason", "they forgot the headers")
    (told,) = ltc.json(*words, stdin=body(command))["dead_letters"]
    assert (told["state"], told["command_id"], told["positions"]) == ("accepted", command["id"], [1])
    (answer,) = everything(bus, RESULTS)
    assert json.loads(answer.value or b"")["status"] == "accepted"
    assert answer.key == key
    (open_one,) = ltc.json("dead-letters", "retry", "--all-open", exits=1)["dead_letters"]
    assert (open_one["id"], open_one["result"]) == (second, "undecodable")
    attempted, _ = ltc.json("dead-letters", "show", str(second))["history"]
    assert (attempted["step"], attempted["reason"]) == ("attempted", ""), "none was given, and none is invented"
    ltc("dead-letters", "discard", str(second), exits=2)
    ltc("dead-letters", "discard", str(second), "--reason", "nonsense", "--by", "bob")
    history = ltc.json("dead-letters", "show", str(first))["history"]
    assert [(one["step"], one["made_by"]) for one in history] == [("attempted", "ann"), ("accepted", "ann")]
    assert json.loads(history[0]["document"]) == command
    shown: Callable[..., bytes] = lambda *words: ltc("dead-letters", *words).stdout  # noqa: E731
    assert b"they forgot the headers" in shown("show", str(first))
    assert b"discarded" in shown("list", "--state", "discarded")
    assert b"accepted" not in shown("list", "--state", "discarded")
