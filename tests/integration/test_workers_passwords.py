"""A login's password is changed while workers are at work: they wait, say so, and go on with the new one."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.broker import send, until
from tests.commands import register
from tests.integration.test_workers_command import answered
from tests.integration.test_workers_watched import PATIENCE_S, Watched, watched
from tests.passwords import Guarded, guarded

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.topics import COMMANDS, EVENTS, Bus
from ltc_events.store import Database, DatabaseUnreachable, EventStore, Role
from ltc_events.store.factory import open_repository

LOGIN = "ltc_at_work"


@pytest.fixture(scope="module")
def server() -> Iterator[Guarded]:
    # Not pytest's folder, which the server's own user cannot reach.
    with tempfile.TemporaryDirectory(prefix="ltc-") as folder, guarded(Path(folder)) as server:
        yield server


@pytest.fixture(scope="module")
def login(server: Guarded) -> Database:
    return server.login(LOGIN, Role.WRITER, Role.RELAY, Role.PROJECTOR, Role.READER)


def happens(server: Guarded) -> int:
    """One more event; the head of the log."""
    with EventStore(server.owner, Role.WRITER) as store:
        CommandPipeline(store, SystemClock()).submit([register("Customer", uuid4())])
        return store.head()[0]


def test_every_connection_has_the_password_of_now(server: Guarded, login: Database) -> None:
    login.connect(Role.READER).close()
    word = server.change_password(LOGIN)
    with pytest.raises(DatabaseUnreachable, match="password authentication failed"):
        login.connect(Role.READER)
    server.password_file(LOGIN).write_text(word + "\n", encoding="utf-8")
    login.connect(Role.READER).close()
    with open_repository(login, Role.PROJECTOR) as repository:
        assert uuid4() not in repository


def assert_it_lives_through_a_change(worker: Watched, server: Guarded, occupy: Callable[[], object] = lambda: None) -> None:
    """`occupy` gives the worker something to do for which it needs the database."""
    until(lambda: worker.health().get("state") == "working")
    word = server.change_password(LOGIN)
    occupy()
    until(lambda: worker.health()["state"] in ("database_unreachable", "connection_lost", "database"))
    until(lambda: worker.health()["state"] == "database_unreachable" and worker.health()["status"] == 503)
    ill = worker.health()
    assert "password authentication failed" in ill["why"]
    assert ill["lag"] is None
    until(lambda: worker.metrics().get(("ltc_worker_waiting_seconds", ("database_unreachable",)), 0) >= PATIENCE_S)
    until(lambda: worker.metrics()["ltc_measurement_age_seconds", ()] >= PATIENCE_S)
    server.password_file(LOGIN).unlink()
    until(lambda: worker.health()["state"] == "password_unreadable")
    server.password_file(LOGIN).write_text(word, encoding="utf-8")
    until(lambda: worker.health()["status"] == 200)
    assert worker.health()["state"] == "working"


def with_file(server: Guarded) -> dict[str, str]:
    return {"LTC_DATABASE_PASSWORD_FILE": str(server.password_file(LOGIN))}


def test_a_projector_goes_on_with_the_new_password(server: Guarded, login: Database) -> None:
    with watched("projector", Bus(""), login, **with_file(server)) as projector:
        assert_it_lives_through_a_change(projector, server)
        head = happens(server)
        until(lambda: projector.metrics().get(("ltc_projector_position", ("customers",))) == head)


def test_a_relay_goes_on_with_the_new_password(server: Guarded, login: Database, bus: Bus) -> None:
    with watched("relay", bus, login, **with_file(server)) as relay:
        assert_it_lives_through_a_change(relay, server)
        head = happens(server)
        with EventStore(server.owner, Role.WRITER) as store:
            until(lambda: store.offsets(bus.topic(EVENTS)).get((bus.topic(EVENTS), 0)) == head)


def test_a_command_worker_goes_on_with_the_new_password(server: Guarded, login: Database, bus: Bus) -> None:
    with watched("command", bus, login, **with_file(server)) as command:
        # A command worker with nothing to do does not ask its database anything; that it cannot be measured makes it unhealthy.
        command_of_ours = command_message(register("Customer", uuid4()))
        assert_it_lives_through_a_change(command, server, lambda: send(bus, COMMANDS, [command_of_ours]))
        with EventStore(server.owner, Role.WRITER) as store:
            until(lambda: answered(bus, store) == 1)


def test_the_password_file_of_a_login_may_be_libpqs_own(server: Guarded, login: Database, tmp_path: Path) -> None:
    file = tmp_path / "pgpass"
    plain = Database(f"{login.conninfo} passfile={file}")
    for _ in range(2):
        word = server.change_password(LOGIN)
        file.write_text(f"*:*:*:{LOGIN}:{word}\n", encoding="utf-8")
        file.chmod(0o600)
        plain.connect(Role.READER).close()
    server.password_file(LOGIN).write_text(word, encoding="utf-8")
