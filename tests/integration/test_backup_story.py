"""docs/backup.md, played from end to end: the disk breaks after the last backup, and nothing that was acknowledged is lost."""

import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from tests.broker import send, until
from tests.commands import register, rename
from tests.conftest import TestServer
from tests.e2e.test_cli import Ltc

from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.topics import COMMANDS, EVENTS, RESULTS, Bus, Topic
from ltc_events.store import Database, EventStore, Role

PAGE = (Path(__file__).parents[2] / "docs/backup.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE.partition("## The whole story")[2].partition("\n## ")[0], re.MULTILINE | re.DOTALL)


class Player:
    """Runs the lines of the page, on a database that `createdb` exchanges."""

    def __init__(self, server: TestServer, bus: Bus, folder: Path) -> None:
        self._server, self.bus, self._folder = server, bus, folder
        self.databases: list[str] = []
        self._workers: subprocess.Popen[bytes] | None = None
        (folder / "key").write_text(uuid4().hex)
        self.new_database()

    def new_database(self) -> None:
        self.databases.append(self._server.create_bare())

    @property
    def database(self) -> Database:
        return self._server.at(self.databases[-1])

    @property
    def ltc(self) -> Ltc:
        where = {"LTC_KAFKA_BOOTSTRAP": self.bus.bootstrap, "LTC_KAFKA_PREFIX": self.bus.prefix}
        return Ltc(LTC_DATABASE_URL=self.database.conninfo, **where)

    def play(self, block: str, exits: dict[str, int] | None = None) -> None:
        for line in block.splitlines():
            words = line.replace("/backup/ltc", str(self._folder / "b")).replace(
                "/run/secrets/backup_key", str(self._folder / "key")
            )
            if line.startswith("createdb"):
                self.stop()
                self.new_database()
            elif line == "ltc worker all":
                ltc = self.ltc
                self._workers = subprocess.Popen([*ltc.start, "worker", "all"], env=ltc.environment, stderr=subprocess.DEVNULL)
            else:
                self.ltc(*[word.strip('"') for word in re.findall(r'"[^"]*"|\S+', words)][1:], exits=(exits or {}).get(line, 0))

    def stop(self) -> None:
        if self._workers:
            self._workers.send_signal(signal.SIGTERM)
            self._workers.wait(60)
            self._workers = None

    def close(self) -> None:
        self.stop()
        for name in self.databases:
            self._server.drop(name)


def converse(player: Player, count: int) -> list[UUID]:
    """Commands over Kafka, every one of which was answered and whose events are published; their ids."""
    bus, customers = player.bus, [uuid4() for _ in range(count)]
    documents = [one for each in customers for one in (register(f"Customer {each}", each), rename("Other Ltd", each))]
    answers = sum(ends(bus, RESULTS).values())
    send(bus, COMMANDS, [command_message(one) for one in documents])
    with EventStore(player.database, Role.WRITER) as store:
        until(lambda: len(store.outcomes([UUID(one["id"]) for one in documents])) == len(documents))
        feed = bus.topic(EVENTS)
        until(lambda: store.offsets(feed).get((feed, 0)) == store.head()[0])
    until(lambda: sum(ends(bus, RESULTS).values()) >= answers + len(documents), lambda: time.sleep(0.5))
    return [UUID(one["id"]) for one in documents]


def ends(bus: Bus, topic: Topic) -> dict[int, int]:
    with OffsetReader(bus) as offset_reader:
        return offset_reader.ends(bus.topic(topic))


def told(database: Database, ids: list[UUID]) -> tuple[Any, Any]:
    with EventStore(database, Role.WRITER) as store:
        outcomes = store.outcomes(ids)
        places = {id: (one.status, one.first_position, one.last_position) for id, one in outcomes.items()}
        return list(store.read_raw(0, 10_000)), places


def shown(database: Database) -> int:
    """How many customers readers see."""
    with database.connect(Role.READER) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM ltc_read.customers").fetchall()
        return int(count)


def test_nothing_that_was_acknowledged_is_lost(server: TestServer, bus: Bus, tmp_path: Path) -> None:
    every_day, breaks, put_back, go_on = BLOCKS
    player = Player(server, bus, tmp_path)
    try:
        *_, backup, check = every_day.splitlines()
        player.play(every_day.partition("ltc backup")[0])
        ids = converse(player, 4)
        player.play(f"{backup}\n{check}")
        ids += converse(player, 3)
        before = told(player.database, ids)
        assert len(before[0]) == len(before[1]) == len(ids)
        player.play(breaks)
        assert len(told(player.database, ids)[0]) == 8, "what the backup had"
        player.play(put_back, {"ltc recover": 1})
        assert told(player.database, ids)[0] == before[0], "every event, to the byte, at its position and of its moment"
        last, doctor = go_on.splitlines()
        player.play(last)
        more = converse(player, 1)
        until(lambda: told(player.database, ids)[1] == before[1])
        assert len(told(player.database, [*ids, *more])[0]) == len(ids) + len(more), "no second effect"
        until(lambda: shown(player.database) == 4 + 3 + 1)
        player.play(doctor)
    finally:
        player.close()
