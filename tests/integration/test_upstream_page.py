"""The examples on the page for upstream services are run as they stand there, against our workers."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.foreign import need

from ltc_events.bus.local_broker import kafka_jars
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import TOPICS, Bus
from ltc_events.store import Database, EventStore
from ltc_events.workers.command import open_command_worker
from ltc_events.workers.loop import Stop, run
from ltc_events.workers.relay import open_relay

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "upstream.md").read_text(encoding="utf-8")
TIMEOUT_S = 90


def example(bus: Bus, language: str, number: int = 0) -> str:
    """An example of the page, with the broker and the topics of the test."""
    text = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[number].replace("localhost:9092", bus.bootstrap)
    for topic in TOPICS:
        text = re.sub(rf"\bltc\.{topic.name}\b", bus.topic(topic), text)
    return text


@pytest.fixture
def workers(bus: Bus, database: Database) -> Iterator[None]:
    """A command worker and a relay at work."""
    stop = Stop()

    def publisher() -> Publisher:
        return Publisher(bus, stopping=stop.requested)

    threads = [
        threading.Thread(target=run, args=("command", lambda: open_command_worker(bus, database, publisher()), stop)),
        threading.Thread(target=run, args=("relay", lambda: open_relay(bus, database, publisher()), stop)),
    ]
    for thread in threads:
        thread.start()
    yield
    stop()
    for thread in threads:
        thread.join(timeout=20)
    stop.close()


def told_by(words: list[str]) -> str:
    """What a program writes."""
    done = subprocess.run(words, capture_output=True, timeout=TIMEOUT_S, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("workers")
def test_the_example_for_kcat(bus: Bus, event_store: EventStore, request: pytest.FixtureRequest) -> None:
    need(request, "kcat")
    told = told_by(["sh", "-c", example(bus, "sh")])
    assert '"status":"accepted"' in told
    assert "ce_type=ltc.customer.registered.v1" in told
    assert event_store.head()[0] == 1


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize(("number", "told"), [(0, "accepted\n"), (1, "ltc.customer.registered.v1 Acme Ltd\n")])
def test_the_examples_in_python(bus: Bus, event_store: EventStore, number: int, told: str) -> None:
    assert told_by([sys.executable, "-c", example(bus, "python", number)]) == told
    assert event_store.head()[0] == 1


@pytest.mark.usefixtures("workers")
def test_the_example_in_java(bus: Bus, event_store: EventStore, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    need(request, "javac", "mvn")
    source = tmp_path / "Upstream.java"
    source.write_text(example(bus, "java"), encoding="utf-8")
    assert '"status":"accepted"' in told_by(["java", "-Xmx128m", "-cp", f"{kafka_jars()}/*", str(source)])
    assert event_store.head()[0] == 1
