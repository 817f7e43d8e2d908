"""Commands of many threads go through one pipeline in batches: each has one effect and its own answer."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from tests.broker import until
from tests.commands import register, rename
from tests.conftest import TestServer

from ltc_events.application.clock import SystemClock
from ltc_events.application.command_service import CommandService, open_command_service
from ltc_events.application.errors import ServiceBusy, ServiceClosed
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.schemas.undecodable import Undecodable
from ltc_events.store import Database, EventStore, Role

CALLERS, EACH = 16, 25


@pytest.fixture
def service(database: Database) -> Iterator[CommandService]:
    with open_command_service(database, SystemClock()) as service:
        yield service


@contextmanager
def held_up(database: Database) -> Iterator[None]:
    """Nothing can be stored meanwhile: somebody else holds the head of the log."""
    with database.connect(Role.OWNER) as owner:
        owner.execute("SELECT 1 FROM ltc.head FOR UPDATE")
        yield


def by_many(work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(work, range(CALLERS)))


def status(answer: Any) -> Status:
    assert isinstance(answer, Outcome), answer
    return answer.status


def test_every_caller_gets_the_answers_of_its_own_commands(service: CommandService, event_store: EventStore) -> None:
    def work(caller: int) -> list[UUID]:
        customer = uuid4()
        ids = []
        for number in range(EACH):
            document = rename(f"{caller}/{number}", customer) if number else register(f"{caller}", customer)
            (answer,) = service.submit([document])
            assert isinstance(answer, Outcome)
            assert (str(answer.command_id), answer.status) == (document["id"], Status.ACCEPTED)
            ids.append(answer.command_id)
        return ids

    ids = [id for found in by_many(work) for id in found]
    records = event_store.read(0, 2 * len(ids))
    assert Counter(one.command_id for one in records) == Counter(ids), "one event of each"


def test_what_several_send_at_once_happens_once(service: CommandService, event_store: EventStore) -> None:
    document = register("Everybody's", uuid4())
    answers = [one for found in by_many(lambda _: service.submit([document])) for one in found]
    assert [status(one) for one in answers] == [Status.ACCEPTED] * CALLERS
    assert Counter(one.duplicate for one in answers) == {False: 1, True: CALLERS - 1}
    assert event_store.head()[0] == 1


def test_a_batch_has_what_arrived_during_the_one_before(
    service: CommandService, database: Database, event_store: EventStore
) -> None:
    with held_up(database):
        waiting = [service.enqueue([register(f"{n}", uuid4())]) for n in range(100)]
        assert not waiting[0].done()
    assert {status(one.result(30)[0]) for one in waiting} == {Status.ACCEPTED}
    times = Counter(one.recorded_at for one in event_store.read(0, 200))
    assert len(times) <= 3, "one transaction gives one time"


def test_refused_and_undecodable_ones_harm_nobody(service: CommandService, database: Database, event_store: EventStore) -> None:
    customer, nobody = uuid4(), uuid4()
    with held_up(database):
        good = service.enqueue([register("Good", customer), rename("Better", customer)])
        refused = service.enqueue([rename("Nobody", nobody)])
        garbage = service.enqueue([b"{"], source="door")
        whole = service.enqueue([rename("x", nobody), rename("Never", customer)], together=True)
        apart = service.enqueue([rename("x", nobody), rename("Best", customer)])
    assert [status(one) for one in good.result(30)] == [Status.ACCEPTED, Status.ACCEPTED]
    assert [status(one) for one in refused.result(30)] == [Status.REFUSED]
    assert isinstance(garbage.result(30)[0], Undecodable)
    assert [one.reasons[0].code for one in whole.result(30) if isinstance(one, Outcome)] == ["does_not_exist", "not_decided"]
    assert [status(one) for one in apart.result(30)] == [Status.REFUSED, Status.ACCEPTED]
    (kept,) = event_store.dead_letters(0, 10)
    assert (kept.source, kept.raw) == ("door", b"{")
    assert event_store.head()[0] == 3


def test_the_queue_is_bounded_and_what_was_taken_is_answered_at_the_end(database: Database, event_store: EventStore) -> None:
    with open_command_service(database, SystemClock(), queue_max=10) as service, held_up(database):
        first = service.enqueue([register("first", uuid4())])
        until(first.running)
        waiting = [service.enqueue([register(f"{n}", uuid4())]) for n in range(10)]
        with pytest.raises(ServiceBusy) as refused:
            service.submit([register("one too many", uuid4())])
        assert refused.value.message == "10 commands wait to be stored, and at most 10 may"
        assert waiting[3].cancel(), "it was not begun"
        waiting[3] = service.enqueue([register("in its place", uuid4())])
    assert {status(one.result(0)[0]) for one in [first, *waiting]} == {Status.ACCEPTED}
    assert event_store.head()[0] == 11
    with pytest.raises(ServiceClosed):
        service.submit([register("too late", uuid4())])


def test_a_request_larger_than_the_queue_is_taken_when_nothing_waits(database: Database) -> None:
    with open_command_service(database, SystemClock(), batch_max=3, queue_max=5) as service:
        answers = service.submit([register(f"{n}", uuid4()) for n in range(20)])
    assert [status(one) for one in answers] == [Status.ACCEPTED] * 20


def test_a_lost_connection_is_told_to_all_that_wait_for_it_and_the_same_again_has_one_effect(
    service: CommandService, database: Database, event_store: EventStore
) -> None:
    service.submit([register("connected", uuid4())])
    documents = [register(f"{n}", uuid4()) for n in range(20)]
    ended = Event()

    def end_connections() -> None:
        with database.connect(Role.OWNER, autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ltc-events writer'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
        ended.set()

    with held_up(database):
        waiting = [service.enqueue([one]) for one in documents]
        until(waiting[0].running)
        end_connections()
    assert ended.is_set()
    for document, one in zip(documents, waiting, strict=True):
        if (error := one.exception(30)) is not None:
            assert "connection" in str(error)
            (answer,) = service.submit([document])
        else:
            (answer,) = one.result()
        assert status(answer) is Status.ACCEPTED
    assert event_store.head()[0] == 21


def test_two_services_on_one_ledger(database: Database, event_store: EventStore) -> None:
    customer = uuid4()
    with open_command_service(database, SystemClock()) as one, open_command_service(database, SystemClock()) as other:
        one.submit([register("Both", customer)])
        answers = by_many(lambda n: [(one, other)[n % 2].submit([rename(f"{n}/{k}", customer)]) for k in range(5)])
    assert {status(answer) for found in answers for (answer,) in found} == {Status.ACCEPTED}
    assert event_store.head()[0] == 1 + 5 * CALLERS
    versions = [record.version for record in event_store.stream(customer)]
    assert versions == list(range(1, 2 + 5 * CALLERS))


def test_a_database_that_is_away_is_told_and_found_again(server: TestServer) -> None:
    name = f"later_{uuid4().hex[:8]}"
    with open_command_service(server.at(name), SystemClock()) as service:
        document = register("Patient", uuid4())
        error = service.enqueue([document]).exception(30)
        assert error is not None
        assert name in str(error)
        with psycopg.connect(server.at("postgres").conninfo, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        server.at(name).initialise()
        assert status(service.submit([document])[0]) is Status.ACCEPTED
    server.drop(name)
