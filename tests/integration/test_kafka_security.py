"""Kafka with TLS, logins and rights: who is let in, what each worker needs, and what is said where something is in the way."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.broker import everything, send, until
from tests.commands import register
from tests.e2e.test_cli import Ltc
from tests.integration.test_workers_loop import environment, start
from tests.secured_broker import Right, SecuredBroker, documented_rights

from ltc_events.bootstrap.kafka_security import security_of
from ltc_events.bootstrap.services import open_pipeline
from ltc_events.bootstrap.settings import load_settings
from ltc_events.bus.access_tokens import ClientCredentials
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.connection_check import BusForbidden, reach
from ltc_events.bus.consumer import PartitionConsumer
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import COMMANDS, DEAD_LETTERS, EVENTS, RESULTS, Bus
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.catalog.ddl import prepare
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, Role
from ltc_events.workers.clock import open_clock
from ltc_events.workers.command import open_command_worker
from ltc_events.workers.projector import open_projector
from ltc_events.workers.relay import open_relay

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
AT_WORK = ("command", "relay", "projector", "clock")
CANARY = "CANARY"
OLD = (b"x", b"{}", [])
"""A message of somebody's, which has to be read to know that it is nothing to us."""


def bus_of(settings: dict[str, str]) -> Bus:
    """The bus as the command line has it under these settings."""
    read = load_settings(**{name.removeprefix("LTC_").lower(): value for name, value in settings.items()})
    return Bus(read.kafka_bootstrap or "", read.kafka_prefix, security_of(read))


def by_certificate(secured: SecuredBroker, prefix: str, certificate: Path | None, **more: str) -> dict[str, str]:
    settings = {
        "LTC_KAFKA_BOOTSTRAP": secured.local.address("SSL"),
        "LTC_KAFKA_PREFIX": prefix,
        "LTC_KAFKA_SECURITY_PROTOCOL": "SSL",
        "LTC_KAFKA_CA_FILE": str(secured.authority.file),
    }
    return settings | ({"LTC_KAFKA_CERTIFICATE_FILE": str(certificate)} if certificate else {}) | more


def exchange(bus: Bus) -> None:
    """What a client does: one command is sent, and one answer read."""
    with Publisher(bus) as publisher:
        publisher.publish(bus.topic(COMMANDS), [command_message(register())])
    with PartitionConsumer(bus, RESULTS, "client", assigned=lambda ours: dict.fromkeys(ours, 0)) as feed:
        found: list[Any] = []
        until(lambda: bool(found), lambda: found.extend(feed.poll(0.2)))


@pytest.fixture
def shop(secured: SecuredBroker) -> str:
    """The prefix of topics on which `client` may do what clients do, and somebody was answered."""
    topics = secured.topics()
    secured.grant("client", topics.prefix, documented_rights("client"))
    send(topics, RESULTS, [OLD])
    return topics.prefix


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_login_by_each_mechanism(mechanism: str, secured: SecuredBroker, shop: str) -> None:
    exchange(bus_of(secured.environment("client", shop, mechanism=mechanism)))


def test_a_login_by_certificate(secured: SecuredBroker, shop: str) -> None:
    exchange(bus_of(by_certificate(secured, shop, secured.authority.sign("client"))))
    locked = secured.authority.sign("client", password=f"{CANARY}key")
    word = secured.password_file("key", f"{CANARY}key")
    reach(bus_of(by_certificate(secured, shop, locked, LTC_KAFKA_KEY_PASSWORD_FILE=str(word))))


def wrong_password(secured: SecuredBroker, mechanism: str) -> dict[str, str]:
    word = str(secured.password_file("client", f"{CANARY}wrong"))
    return secured.environment("client", "x", mechanism=mechanism) | {"LTC_KAFKA_PASSWORD_FILE": word}


def login(secured: SecuredBroker, **more: str) -> dict[str, str]:
    return secured.environment("client", "x") | more


TROUBLES: dict[str, tuple[Callable[[SecuredBroker], dict[str, str]], str, str, str]] = {
    **{
        f"wrong password, {one}": (
            lambda it, one=one: wrong_password(it, one),  # type: ignore[misc]
            "bus_login_refused",
            f"does not let client in by {one}",
            "LTC_KAFKA_PASSWORD_FILE",
        )
        for one in MECHANISMS[:3]
    },
    "wrong secret": (
        lambda it: wrong_password(it, "OAUTHBEARER"), "token_refused", "401 invalid_client", "LTC_KAFKA_TOKEN_URL",
    ),
    "a token that the broker does not take": (
        lambda it: it.environment("client", "x", mechanism="OAUTHBEARER") | {"LTC_KAFKA_TOKEN_SCOPE": "other"},
        "token_refused", "400 invalid_scope", "LTC_KAFKA_TOKEN_SCOPE",
    ),
    "nobody": (
        lambda it: login(it, LTC_KAFKA_USERNAME="nobody"), "bus_login_refused", "does not let nobody in", "LTC_KAFKA_USERNAME",
    ),
    "no password file": (lambda it: login(it, LTC_KAFKA_PASSWORD_FILE="/none"), "secret_unreadable", "/none", "may read"),
    "another authority": (
        lambda it: login(it, LTC_KAFKA_CA_FILE=str(it.stranger.file)), "bus_not_trusted", "issuer", "LTC_KAFKA_CA_FILE",
    ),
    "another name": (
        lambda it: login(it, LTC_KAFKA_BOOTSTRAP=it.local.address("SASL_SSL").replace("localhost", "127.0.0.1")),
        "bus_not_trusted", "not valid for '127.0.0.1'", "advertised.listeners",
    ),
    "no TLS there": (
        lambda it: login(it, LTC_KAFKA_BOOTSTRAP=it.local.bootstrap),
        "bus_speaks_otherwise", "does not speak SASL_SSL", "LTC_KAFKA_SECURITY_PROTOCOL",
    ),
    "no login, where one is asked for": (
        lambda it: by_certificate(it, "x", None, LTC_KAFKA_BOOTSTRAP=it.local.address("SASL_SSL")),
        "bus_speaks_otherwise", "does not speak SSL", "LTC_KAFKA_SECURITY_PROTOCOL",
    ),
    "no certificate": (
        lambda it: by_certificate(it, "x", None), "bus_refuses_certificate", "we have none", "LTC_KAFKA_CERTIFICATE_FILE",
    ),
    "a stranger's certificate": (
        lambda it: by_certificate(it, "x", it.stranger.sign("client")),
        "bus_refuses_certificate", "alert", "an authority has signed",
    ),
    "an expired certificate": (
        lambda it: by_certificate(it, "x", it.authority.sign("client", days=-1)),
        "certificate_unusable", "it expired at", "valid now",
    ),
    "a key that is locked": (
        lambda it: by_certificate(it, "x", it.authority.sign("client", password=f"{CANARY}key")),
        "certificate_unusable", "its password is another one", "LTC_KAFKA_KEY_FILE",
    ),
    "no certificate in the file": (
        lambda it: by_certificate(it, "x", it.password_file("client", f"{CANARY}text")),
        "certificate_unusable", "no certificate in PEM", "PEM",
    ),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_is_in_the_way_is_one_line_with_its_fix_and_without_a_secret(trouble: str, secured: SecuredBroker) -> None:
    settings, code, words, fix = TROUBLES[trouble]
    with pytest.raises(LtcError) as told:
        reach(bus_of(settings(secured)))
    assert told.value.code == code
    assert words in told.value.message
    assert "\n" not in told.value.message
    assert fix in told.value.fix
    assert CANARY not in told.value.message + told.value.fix


@contextmanager
def showing(certificate: Path) -> Iterator[str]:
    """A server of TLS that shows this certificate to whoever comes; its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    guest, _ = listener.accept()
                    with guest, suppress(OSError):
                        context.wrap_socket(guest, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"localhost:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_the_expired_certificate_of_a_broker(secured: SecuredBroker) -> None:
    with showing(secured.authority.sign("old", "localhost", days=-1)) as address, pytest.raises(LtcError) as told:
        reach(bus_of(login(secured, LTC_KAFKA_BOOTSTRAP=address)))
    assert told.value.code == "bus_not_trusted"
    assert "certificate has expired" in told.value.message
    assert "renews" in told.value.fix


def test_a_token_is_used_for_most_of_its_life(secured: SecuredBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = ClientCredentials(bus_of(secured.environment("client", "x", mechanism="OAUTHBEARER")).security)
    before = secured.tokens.asked
    first = provider.token()
    assert provider.token() == first
    assert secured.tokens.asked == before + 1
    monkeypatch.setattr(secured.tokens, "life_s", 0)
    other = ClientCredentials(bus_of(secured.environment("client", "x", mechanism="OAUTHBEARER")).security)
    other.token()
    other.token()
    assert secured.tokens.asked == before + 3, "one that is about to expire is not shown to anybody"


@pytest.mark.parametrize("url", ["http://example.com/token", "ftp://127.0.0.1/token", "https:///token", "token"])
def test_a_secret_goes_nowhere_in_the_clear(url: str, secured: SecuredBroker) -> None:
    settings = secured.environment("client", "x", mechanism="OAUTHBEARER") | {"LTC_KAFKA_TOKEN_URL": url}
    with pytest.raises(LtcError, match="https") as told:
        reach(bus_of(settings))
    assert told.value.code == "token_refused"


def do_its_work(worker: str, topics: Bus, bus: Bus, database: Database) -> None:
    """All that the worker ever does with Kafka, once. Raises what it raises."""
    if worker == "command":
        send(topics, RESULTS, [OLD])
        send(topics, COMMANDS, [command_message(register()), (b"x", b"no command", [])])
        with open_command_worker(bus, database, Publisher(bus)) as it:
            until(lambda: len(everything(topics, RESULTS)) > 1 and bool(everything(topics, DEAD_LETTERS)), it.step)
    elif worker == "relay":
        send(topics, EVENTS, [OLD])
        with open_relay(bus, database, Publisher(bus)) as it:
            until(lambda: len(everything(topics, EVENTS)) > 1, it.step)
    elif worker == "projector":
        send(topics, EVENTS, [OLD])
        with open_projector(bus, database) as it:
            until(lambda: bool(it.partitions), it.step)
    elif worker == "clock":
        with open_clock(bus, database, Publisher(bus)) as it:
            it.see_to_all()
            it._send([register()])
    elif worker == "client":
        send(topics, RESULTS, [OLD])
        exchange(bus)
    else:
        with OffsetReader(bus) as offset_reader:
            for topic in (COMMANDS, EVENTS, RESULTS, DEAD_LETTERS):
                offset_reader.last(bus.topic(topic), 1)


def happen(database: Database) -> None:
    """The ledger has read tables, and an event that is not published."""
    with database.connect(Role.PROJECTOR) as connection:
        prepare(connection, PROJECTIONS)
    with open_pipeline(database) as pipeline:
        pipeline.submit([register()])


ESSENTIAL = [
    pytest.param(worker, right, id=f"{worker} without {right.operation} of {right.name}")
    for worker in (*AT_WORK, "client")
    for right in documented_rights(worker)
]


@pytest.mark.parametrize(("worker", "missing"), ESSENTIAL)
def test_each_right_is_needed_and_its_lack_is_told(
    worker: str, missing: Right, secured: SecuredBroker, database: Database
) -> None:
    topics = secured.topics()
    secured.grant(worker, topics.prefix, [one for one in documented_rights(worker) if one != missing])
    happen(database)
    with pytest.raises(BusForbidden) as told:
        do_its_work(worker, topics, bus_of(secured.environment(worker, topics.prefix)), database)
    named = (missing.name.replace("ltc.", f"{topics.prefix}."), "to write to a topic")
    assert any(one in told.value.message for one in named)
    assert f" allow {worker} " in told.value.message
    assert "docs/operations.md" in told.value.fix


def test_the_documented_rights_are_enough_for_everybody(secured: SecuredBroker, database: Database) -> None:
    """Topics are made, commands taken, events published and projected, and all is looked at: each under its own login."""
    prefix = secured.administrator._replace(prefix="whole").prefix
    for who in (*AT_WORK, "doctor", "init", "client"):
        secured.grant(who, prefix, documented_rights(who))

    def line(who: str) -> dict[str, str]:
        return environment(Bus(""), database) | secured.environment(who, prefix)

    Ltc(**line("init")).json("init", "--kafka", "--partitions", "2")
    happen(database)
    workers = {kind: start(kind, line(kind)) for kind in AT_WORK}
    try:
        topics = secured.administrator._replace(prefix=prefix)
        command = register("Second Ltd")
        with Publisher(bus_of(line("client"))) as publisher:
            publisher.publish(topics.topic(COMMANDS), [command_message(command)])
        until(lambda: bool(everything(topics, RESULTS)))
        until(lambda: len(everything(topics, EVENTS)) == 2)

        def projected() -> bool:
            with database.connect(Role.READER) as connection:
                query = "SELECT count(*) FROM ltc_read.customers"
                return connection.execute(query).fetchone() == (2,)

        until(projected)
        told = Ltc(**line("doctor")).json("doctor")
        assert [one for one in told["checks"] if not one["healthy"]] == []
    finally:
        for worker in workers.values():
            worker.terminate()
        said = {kind: worker.communicate(timeout=60) for kind, worker in workers.items()}
    assert {kind: worker.returncode for kind, worker in workers.items()} == dict.fromkeys(AT_WORK, 0), said
    assert CANARY not in repr(said)


def test_a_worker_waits_for_the_right_password_and_says_so(secured: SecuredBroker, database: Database) -> None:
    topics = secured.topics()
    secured.grant("relay", topics.prefix, documented_rights("relay"))
    happen(database)
    settings = environment(Bus(""), database) | secured.environment("relay", topics.prefix) | {"LTC_LOG_FORMAT": "json"}
    word = Path(settings["LTC_KAFKA_PASSWORD_FILE"])
    right = word.read_text()
    word.write_text(f"{CANARY}wrong")
    told = Ltc(**settings).json("doctor", exits=1)
    (kafka,) = [one for one in told["checks"] if one["name"] == "kafka"]
    assert "does not let relay in" in kafka["detail"]
    worker = start("relay", settings)
    try:
        assert worker.stderr is not None
        line = next(one for one in worker.stderr if b"worker_waiting" in one)
        assert b'"bus_login_refused"' in line
        assert not everything(topics, EVENTS)
        word.write_text(right)
        until(lambda: bool(everything(topics, EVENTS)))
    finally:
        worker.terminate()
        rest = worker.communicate(timeout=60)
    assert CANARY not in repr((told, line, rest))
    assert not re.search(right.strip(), repr(rest))
