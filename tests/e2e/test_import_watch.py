"""`ltc import watch`: exports that come into a folder are imported once each, in order, whatever happens to the process."""

import json
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.e2e.test_cli import Ltc
from tests.integration.test_import_runs import write_shop

from ltc_events.store import Database, EventStore, Role

HEADER = "id,customer,ordered,amount\n"
QUICK = ("--settle", "0.3", "--every", "0.1")


class Folder:
    """A shop's mapping, and the folder that its exports come into."""

    def __init__(self, database: Database, root: Path) -> None:
        self.database = database
        self.ltc = Ltc(LTC_DATABASE_URL=database.conninfo, LTC_LOG_FORMAT="json")
        self.mapping = write_shop(root / "shop")
        toml = self.mapping / "mapping.toml"
        toml.write_text(toml.read_text(encoding="utf-8").replace('"orders.csv"', '"orders-*.csv"'), encoding="utf-8")
        self.data = root / "data"
        self.data.mkdir()
        self.words = ("import", "watch", str(self.mapping), "--data", str(self.data), *QUICK)

    def put(self, date: str, first: int, count: int = 1) -> Path:
        """An export of so many orders, renamed into place."""
        path = self.data / f"orders-{date}.csv"
        part = path.with_suffix(".part")
        part.write_text(HEADER + "".join(self.row(number) for number in range(first, first + count)), encoding="utf-8")
        return part.rename(path)

    @staticmethod
    def row(number: int) -> str:
        return f"{number},customer {number % 7},2024-01-01,{number + 1}.00\n"

    @contextmanager
    def watching(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            [*self.ltc.start, *self.words, *words], env=self.ltc.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()

    def orders(self) -> list[str]:
        """The orders of the ledger by their amounts, in the order of the log."""
        with EventStore(self.database, Role.WRITER) as store:
            records = store.read(0, 100_000, types=["order.placed.v1"])
        return [str(record.event.net) for record in records]  # type: ignore[attr-defined]

    def wait_for(self, orders: int) -> None:
        deadline = time.monotonic() + 90
        while len(self.orders()) < orders:
            assert time.monotonic() < deadline, self.orders()
            time.sleep(0.1)


def told(process: subprocess.Popen[bytes]) -> list[str]:
    """The log of a process that has ended."""
    assert process.stderr is not None
    text = process.stderr.read().decode()
    assert "Traceback" not in text, text
    return text.splitlines()


@pytest.fixture
def folder(database: Database, tmp_path: Path) -> Folder:
    return Folder(database, tmp_path)


def amounts(*numbers: int) -> list[str]:
    return [f"{number + 1}.00" for number in numbers]


def test_exports_are_imported_as_they_come_in_order_and_once(folder: Folder) -> None:
    folder.put("2024-02", 10)
    folder.put("2024-01", 0, 2)
    with folder.watching() as process:
        folder.wait_for(3)
        folder.put("2024-03", 20)
        folder.wait_for(4)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        lines = told(process)
    assert folder.orders() == amounts(0, 1, 10, 20)
    done = [line for line in lines if "export_imported" in line]
    assert ["2024-01" in done[0], "2024-02" in done[1], "2024-03" in done[2], len(done)] == [True, True, True, 3]
    again = folder.ltc(*folder.words, "--once")
    assert b"export_begins" not in again.stderr, "what is imported is known"


def test_a_half_written_file_is_left_alone(folder: Folder) -> None:
    path = folder.data / "orders-2024-01.csv"
    with folder.watching(), path.open("w", encoding="utf-8") as file:
        file.write(HEADER + folder.row(0) + "1,customer 1,2024-01-01,2")
        for _ in range(12):
            file.flush()
            time.sleep(0.1)
            file.write("0")
        assert folder.orders() == []
        file.write(".00\n")
        file.flush()
        folder.wait_for(2)
    assert folder.orders() == ["1.00", "2" + "0" * 12 + ".00"]


def test_a_refused_export_does_not_stop_the_next_unless_it_shall(folder: Folder) -> None:
    folder.put("2024-02", 10)
    (folder.data / "orders-2024-01.csv").write_text("number;buyer\n1;A\n", encoding="utf-8")
    stopped = folder.ltc(*folder.words, "--once", "--on-refusal", "stop", exits=2)
    assert b"export_refused" in stopped.stderr
    assert folder.orders() == []
    done = folder.ltc(*folder.words, "--once", exits=1)
    assert b"export_refused" in done.stderr
    assert b"not imported: 2024-01 is refused" in done.stderr
    assert folder.orders() == amounts(10)
    folder.put("2024-01", 0)
    folder.ltc(*folder.words, "--once")
    assert folder.orders() == amounts(10, 0), "once it is corrected, it is imported"


def test_once_does_not_wait_for_what_does_not_come(folder: Folder) -> None:
    toml = folder.mapping / "mapping.toml"
    more = '[sources.people]\npath = "people-*.csv"\n\n[[policies]]'
    toml.write_text(toml.read_text(encoding="utf-8").replace("[[policies]]", more, 1), encoding="utf-8")
    folder.put("2024-01", 0)
    done = folder.ltc(*folder.words, "--once", exits=1)
    assert b"2024-01 waits for people-*.csv" in done.stderr
    assert folder.orders() == []


def test_refused_rows_are_listed_by_export(folder: Folder, tmp_path: Path) -> None:
    (folder.data / "orders-1.csv").write_text(HEADER + "1,A,2024-01-01,ten\n", encoding="utf-8")
    folder.ltc(*folder.words, "--once", "--refused", str(tmp_path))
    assert "not_a_number" in (tmp_path / "1.refused.csv").read_text(encoding="utf-8")


def test_killed_at_any_moment_it_goes_on_without_a_lost_or_doubled_row(folder: Folder) -> None:
    counts = [700, 300, 500]
    first = 0
    for month, count in enumerate(counts, 1):
        folder.put(f"2024-{month:02}", first, count)
        first += count
    kills, chance = 0, random.Random(7)
    for orders in (1, 200, 701, 1001):
        with folder.watching() as process:
            folder.wait_for(orders)
            time.sleep(chance.random() / 5)
            process.kill()
            kills += process.wait() == -signal.SIGKILL
    folder.ltc(*folder.words, "--once")
    assert kills == 4
    assert sorted(folder.orders(), key=float) == amounts(*range(first))
    assert b"export_begins" not in folder.ltc(*folder.words, "--once").stderr


def test_it_ends_cleanly_amid_an_import(folder: Folder) -> None:
    folder.put("2024-01", 0, 3000)
    with folder.watching() as process:
        folder.wait_for(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert any("export_cut_off" in line for line in told(process))
    assert 0 < len(folder.orders()) < 3000
    folder.ltc(*folder.words, "--once")
    assert sorted(folder.orders(), key=float) == amounts(*range(3000))


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_import_that_is_terminated_leaves_no_folder(folder: Folder, tmp_path: Path, *, dry_run: bool) -> None:
    folder.put("2024-01", 0, 3000)
    room = tmp_path / "room"
    room.mkdir()
    words = ["import", str(folder.mapping), "--data", str(folder.data), *(["--dry-run"] if dry_run else [])]
    environment = {**folder.ltc.environment, "TMPDIR": str(room)}
    with subprocess.Popen([*folder.ltc.start, *words], env=environment, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not list(room.glob("ltc-import-*/import.duckdb")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 130
        assert any("interrupted" in line for line in told(process))
    assert list(room.iterdir()) == []


def test_two_watches_of_one_folder_import_nothing_twice(folder: Folder) -> None:
    folder.put("2024-01", 0, 300)
    with folder.watching(), folder.watching():
        folder.wait_for(300)
        folder.put("2024-02", 300, 300)
        folder.wait_for(600)
        time.sleep(1)
    assert sorted(folder.orders(), key=float) == amounts(*range(600))


def test_a_folder_without_dated_exports_is_refused(folder: Folder) -> None:
    toml = folder.mapping / "mapping.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("orders-*.csv", "orders.csv"), encoding="utf-8")
    assert b"no source is a folder of dated exports" in folder.ltc(*folder.words, "--once", exits=2).stderr


@pytest.mark.parametrize("words", [("--settle", "nan"), ("--every", "nan"), ("--every", "0"), ("--settle", "-1")])
def test_no_absurd_time_is_waited(folder: Folder, words: tuple[str, str]) -> None:
    folder.ltc(*folder.words, "--once", *words, exits=2)


def test_the_log_is_plain_lines(folder: Folder) -> None:
    folder.put("\x1b[31m2024", 0)
    done = folder.ltc(*folder.words, "--once")
    assert b"\x1b" not in done.stderr
    assert any(json.loads(line)["event"] == "export_imported" for line in done.stderr.splitlines())
