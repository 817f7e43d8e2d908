"""A local broker: Apache Kafka from Maven's jars, one process, KRaft. For tests, demos and trials."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Self

import fasteners  # type: ignore[import-untyped]

from ltc_events.kernel.errors import Kind, LtcError

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
FETCH_TIMEOUT_S = 600
# Below what Linux, macOS and Windows give to outgoing connections: those could take the port of a broker that starts again.
PORTS = range(20_000, 32_768)
_COMPLETE = "complete"
# It lives for a trial or a test: what a better compiler and collector save in hours costs half a processor in the first minutes.
OPTIONS = ("-Xmx320m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class BrokerUnavailable(LtcError):
    """no broker can be started: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy = "install Java 17 and Maven, or set LTC_KAFKA_BOOTSTRAP to a broker that runs"


class LocalBroker:
    """A Kafka broker in the folder `home`, on a port of 127.0.0.1 that is free, or the one that it had before."""

    def __init__(
        self,
        home: Path,
        port: int = 0,
        *,
        listeners: Iterable[str] = (),
        settings: Mapping[str, str] | None = None,
        users: Iterable[str] = (),
        options: Sequence[str] = (),
    ) -> None:
        """`listeners`: the security protocols of further listeners. `settings`: of the broker; `options`: of Java.

        `users`, as `SCRAM-SHA-512=[name=…,password=…]`, are created when the storage is formatted.
        """
        self._home = home
        self._port = port or free_port()
        self._controller_port = free_port()
        self._listener_ports = {protocol: free_port() for protocol in listeners}
        self._settings = dict(settings or {})
        self._users = [word for one in users for word in ("--add-scram", one)]
        self._options = (*OPTIONS, *options)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients begin: `127.0.0.1:port`."""
        return f"127.0.0.1:{self._port}"

    def address(self, protocol: str) -> str:
        """Where clients of this security protocol begin: `localhost:port`."""
        return f"localhost:{self._listener_ports[protocol]}"

    @property
    def pid(self) -> int:
        """The id of the process, for tests that kill it."""
        if self._process is None:
            raise BrokerUnavailable(reason="it is not started")
        return self._process.pid

    def start(self) -> None:
        """Fetch the jars if need be, lay out the storage if need be, start, and wait until it answers."""
        jars = kafka_jars()
        if _answers(self._port):  # which would be taken for the broker
            raise BrokerUnavailable(reason=f"port {self._port} of 127.0.0.1 is in use")
        self._home.mkdir(parents=True, exist_ok=True)
        properties = self._home / "server.properties"
        properties.write_text(self._properties(), encoding="utf-8")
        java = ["java", *self._options, "-cp", f"{jars}/*"]
        if not (self._home / "data" / "meta.properties").exists():
            tool = [*java, "kafka.tools.StorageTool"]
            cluster = subprocess.run([*tool, "random-uuid"], check=True, capture_output=True, text=True).stdout.split()[-1]
            layout = [*tool, "format", "-t", cluster, "-c", str(properties), *self._users]
            subprocess.run(layout, check=True, capture_output=True)
        with (self._home / "broker.log").open("ab") as log:
            self._process = subprocess.Popen([*java, "kafka.Kafka", str(properties)], stdout=log, stderr=log)
        self._await()

    def stop(self) -> None:
        """Stop it gracefully."""
        self._end(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it ends by itself; its exit status."""
        if self._process is None:
            raise BrokerUnavailable(reason="it is not started")
        return self._process.wait()

    def kill(self) -> None:
        """Kill it at once, as a power failure would."""
        self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _await(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            if _answers(self._port):
                return
            time.sleep(0.05)
        self.kill()
        raise BrokerUnavailable(reason=f"it did not come up; see {self._home / 'broker.log'}")

    def _properties(self) -> str:
        opened = "".join(f",{protocol}://127.0.0.1:{port}" for protocol, port in self._listener_ports.items())
        told = "".join(f",{protocol}://localhost:{port}" for protocol, port in self._listener_ports.items())
        return "\n".join(
            (
                "process.roles=broker,controller",
                "node.id=1",
                f"controller.quorum.voters=1@127.0.0.1:{self._controller_port}",
                "controller.listener.names=CONTROLLER",
                f"listeners=PLAINTEXT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{self._controller_port}{opened}",
                f"advertised.listeners=PLAINTEXT://127.0.0.1:{self._port}{told}",
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
                + "".join(f",{protocol}:{protocol}" for protocol in self._listener_ports),
                f"log.dirs={self._home / 'data'}",
                "offsets.topic.replication.factor=1",
                "offsets.topic.num.partitions=4",
                "transaction.state.log.replication.factor=1",
                "transaction.state.log.min.isr=1",
                "share.coordinator.state.topic.replication.factor=1",
                "share.coordinator.state.topic.min.isr=1",
                "group.initial.rebalance.delay.ms=0",
                "group.min.session.timeout.ms=1000",
                "auto.create.topics.enable=false",
                *(f"{name}={value}" for name, value in self._settings.items()),
                "",
            )
        )


def kafka_jars() -> Path:
    """The folder of Kafka's jars, filled by Maven's dependency plugin the first time. Processes may ask for it at once."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise BrokerUnavailable(reason=f"{program} is not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ltc-events" / "kafka-4.1.0"
    if not (cache / _COMPLETE).exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        with fasteners.InterProcessLock(cache.with_name(f"{cache.name}.lock")):
            if not (cache / _COMPLETE).exists():
                _fetch_jars(cache)
    return cache


def _fetch_jars(cache: Path) -> None:
    """Fill a temporary folder and rename it, so that the folder is complete whenever it exists."""
    with tempfile.TemporaryDirectory(prefix=f"{cache.name}-", dir=cache.parent) as folder:
        jars = Path(folder) / "jars"
        jars.mkdir()
        pom = jars / "pom.xml"
        pom.write_text(files("ltc_events.bus").joinpath("broker-pom.xml").read_text(encoding="utf-8"), encoding="utf-8")
        command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
        if done.returncode:
            raise BrokerUnavailable(reason=f"Maven could not fetch Kafka: {done.stdout.strip() or done.stderr.strip()}")
        (jars / _COMPLETE).touch()
        shutil.rmtree(cache, ignore_errors=True)  # what an interrupted attempt of an earlier release left
        jars.rename(cache)


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens at and no outgoing connection is given."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise BrokerUnavailable(reason=f"all ports of 127.0.0.1 from {PORTS.start} to {PORTS.stop - 1} are taken")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
