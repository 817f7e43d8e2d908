"""Reports and queries on a streaming standby, and the position that a reader wants to see."""

import json
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.commands import register
from tests.company import found_company
from tests.e2e.test_cli import Ltc, lines
from tests.standby import Standby, primary_and_standby

from ltc_events.projections.following.catch_up import catch_up
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, Role


class Replicated:
    """A company on a primary, and the command line of somebody who reads its standby and knows no other server."""

    def __init__(self, primary: Database, standby: Standby, home: Path) -> None:
        self.primary, self.standby, self.home = primary, standby, home
        self.reader = Ltc(LTC_READER_URL=standby.database.conninfo, LTC_HOME=str(home))
        self.owner = Ltc(LTC_DATABASE_URL=primary.conninfo)

    def catch_up(self) -> int:
        return catch_up(self.primary, PROJECTIONS)


@pytest.fixture(scope="module")
def replicated() -> Iterator[Replicated]:
    with (
        tempfile.TemporaryDirectory(prefix="ltc-", ignore_cleanup_errors=True) as folder,
        primary_and_standby(Path(folder)) as (primary, standby),
    ):
        found_company(primary, customers=5, days=120)
        there = Replicated(primary, standby, Path(folder) / "none")
        there.catch_up()
        yield there


def test_a_standby_answers_as_the_primary_does(replicated: Replicated) -> None:
    position = replicated.catch_up()
    reader, owner = replicated.reader, replicated.owner
    asked = ("report", "trial-balance", "--as-of", "2026-12-31", "--min-position", str(position))
    told = reader.json(*asked)
    assert told["rows"]
    assert told == owner.json(*asked)
    query = ("sql", "SELECT count(*) AS n, sum(amount) AS total FROM journal")
    assert reader.json(*query) == owner.json(*query)
    number = owner.json("sql", "SELECT number FROM invoices ORDER BY number LIMIT 1")["rows"][0]["number"]
    for words in (("explain", "invoice", number), ("find", number)):
        assert reader.json(*words) == owner.json(*words)
    exported = reader("export", "events").stdout
    assert exported == owner("export", "events").stdout
    assert exported.count(b"\n") > position
    assert not replicated.home.exists(), "no embedded server was started for who has a standby to read"


def test_what_has_not_arrived_is_waited_for(replicated: Replicated) -> None:
    replicated.standby.pause()
    replicated.owner("submit", "-", stdin=lines(register()))
    position = replicated.catch_up()
    asked = ("report", "trial-balance", "--min-position", str(position))
    late = replicated.reader(*asked, "--wait", "0.2", "--json", exits=1)
    error = json.loads(late.stdout)["error"]
    assert error["code"] == "position_not_reached"
    assert str(position) in error["message"]
    assert b"report_is_behind" not in late.stderr, "it was waited for as long as was said"
    assert replicated.reader.json(*asked[:2])["position"] < position, "without it, what is there is told"
    with ThreadPoolExecutor(1) as aside:
        told = aside.submit(replicated.reader.json, *asked, "--wait", "100")
        time.sleep(1)
        assert not told.done()
        replicated.standby.resume()
        assert told.result()["position"] == position


def test_a_position_that_is_not_there_yet_is_waited_for_without_a_standby(replicated: Replicated) -> None:
    beyond = str(replicated.catch_up() + 1_000)
    stories = ("explain", "invoice", "INV-1"), ("explain", "customer", "x"), ("explain", "order", str(uuid4()))
    for words in (("report", "funnel"), ("sql", "SELECT 1 AS one"), ("find", "x"), ("export", "events"), *stories):
        told = replicated.owner(*words, "--min-position", beyond, "--wait", "0", exits=1).stderr.decode()
        assert f"position {beyond} is not there after 0 seconds" in told


def test_who_reads_events_alone_waits_for_the_log_alone(database: Database) -> None:
    login = f"reading_{uuid4().hex}"
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE ltc_projector").format(sql.Identifier(login)))
    try:
        auditor = Ltc(LTC_DATABASE_URL=make_conninfo(database.conninfo, user=login))
        Ltc(LTC_DATABASE_URL=database.conninfo)("submit", "-", stdin=lines(register()))
        asked = ("export", "events", "--wait", "0", "--min-position")
        assert auditor(*asked, "1").stdout.count(b"\n") == 2, "no read table is there yet, and none is asked"
        assert b"position 2 is not there" in auditor(*asked, "2", exits=1).stderr
    finally:
        with database.connect(Role.OWNER, autocommit=True) as owner:
            owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


def test_a_wrong_url_of_the_standby_is_named_as_such(home: Path) -> None:
    wrong = Ltc(LTC_READER_URL="postgresql://reader@127.0.0.1:1/x", LTC_HOME=str(home / "none"))
    assert "LTC_READER_URL" in wrong("report", "funnel", exits=1).stderr.decode()
    assert "LTC_READER_URL" in Ltc(LTC_READER_URL="postgresql://a@b@c/")("find", "x", exits=1).stderr.decode()


def test_doctor_says_how_far_the_standby_is(replicated: Replicated) -> None:
    position = replicated.catch_up()
    replicated.reader("report", "funnel", "--min-position", str(position))
    both = {"LTC_DATABASE_URL": replicated.primary.conninfo}
    check = standby_check(Ltc(LTC_READER_URL=replicated.standby.database.conninfo, **both))
    assert check["healthy"]
    assert check["detail"] == f"a standby, at position {position} of {position}"
    assert "no standby" in standby_check(Ltc(LTC_READER_URL=replicated.primary.conninfo, **both))["detail"]
    away = standby_check(Ltc(LTC_READER_URL="postgresql://reader@127.0.0.1:1/x", **both), exits=1)
    assert not away["healthy"]
    assert "LTC_READER_URL" in away["fix"]
    assert standby_check(Ltc(**both)) is None


def standby_check(ltc: Ltc, exits: int = 0) -> Any:
    checks = ltc.json("doctor", exits=exits)["checks"]
    return next((one for one in checks if one["name"] == "reader's database"), None)
