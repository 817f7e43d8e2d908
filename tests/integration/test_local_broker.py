"""A broker of one's own: its jars are fetched once and whole, and its port is nobody else's."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ltc_events.bus.local_broker import PORTS, BrokerUnavailable, LocalBroker, free_port

SOURCE = Path(__file__).parents[2] / "src"
ASK = "from ltc_events.bus.local_broker import kafka_jars; print(*sorted(one.name for one in kafka_jars().iterdir()))"
# Notes that it was called, and takes a while to write its files into the folder of its last argument.
FETCH = """#!/bin/sh
echo called >> "$XDG_CACHE_HOME/calls"
for word; do folder=${word#-DoutputDirectory=}; done
for jar in a b c; do sleep 0.1; echo "$jar" > "$folder/$jar.jar"; done
"""
FAIL = """#!/bin/sh
echo 'no route to the repository'
exit 1
"""
EPHEMERAL_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
WHOLE = "a.jar b.jar c.jar complete pom.xml"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    program(tmp_path, "java", "#!/bin/sh\n")
    program(tmp_path, "mvn", FETCH)
    return tmp_path


def program(cache: Path, name: str, text: str) -> None:
    file = cache / "bin" / name
    file.write_text(text)
    file.chmod(0o755)


def asking(cache: Path) -> subprocess.Popen[str]:
    paths = {"PATH": f"{cache / 'bin'}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen([sys.executable, "-c", ASK], stdout=-1, stderr=-1, text=True, env=os.environ | paths)


def test_processes_that_need_the_jars_at_once_fetch_them_once(cache: Path) -> None:
    asked = [asking(cache) for _ in range(3)]
    assert [one.communicate(timeout=60)[0].strip() for one in asked] == [WHOLE] * 3
    assert (cache / "calls").read_text() == "called\n"


def test_jars_that_could_not_be_fetched_are_fetched_the_next_time(cache: Path) -> None:
    (cache / "ltc-events" / "kafka-4.1.0").mkdir(parents=True)
    (cache / "ltc-events" / "kafka-4.1.0" / "half.jar").touch()
    program(cache, "mvn", FAIL)
    assert "no route to the repository" in asking(cache).communicate(timeout=60)[1]
    program(cache, "mvn", FETCH)
    assert asking(cache).communicate(timeout=60)[0].strip() == WHOLE


def test_a_broker_does_not_start_where_something_else_listens(tmp_path: Path) -> None:
    # Else what answers there, a PostgreSQL for one, would be taken for the broker.
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        with pytest.raises(BrokerUnavailable, match=f"port {port} of 127.0.0.1 is in use"):
            LocalBroker(tmp_path, port).start()


@pytest.mark.skipif(not EPHEMERAL_PORTS.exists(), reason="only Linux says which ports it gives to outgoing connections")
def test_no_outgoing_connection_takes_the_port_of_a_broker_that_starts_again() -> None:
    first, last = map(int, EPHEMERAL_PORTS.read_text(encoding="ascii").split())
    assert not set(PORTS) & set(range(first, last + 1))
    assert free_port() in PORTS
