"""Queries of one's own: they read as the reader, see one moment, write nothing, and look at an earlier state where asked."""

import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date

import pytest
from tests.integration.books import DAY, Books

from ltc_events.querying.errors import OnlyQueries, PresentStateOnly, QueryRefused, QueryTimedOut
from ltc_events.querying.rows import RowFormat, write_rows
from ltc_events.querying.session import Asked, ReadSession
from ltc_events.reports.runner import run
from ltc_events.simulation import ENDS_ON
from ltc_events.store import Database, EventStore, Role


@pytest.fixture
def session(company: Database) -> Iterator[ReadSession]:
    session = ReadSession(company)
    yield session
    session.close()


def rows(session: ReadSession, query: str) -> list[tuple[str | None, ...]]:
    with session.run(query) as found:
        return list(found.rows)


def written(session: ReadSession, query: str, format: RowFormat) -> str:
    stream = io.StringIO()
    with session.run(query) as found:
        write_rows(found, format, stream)
    return stream.getvalue()


BALANCES = "SELECT account, sum(amount) FROM journal GROUP BY account HAVING sum(amount) <> 0 ORDER BY account"


def test_a_query_looks_at_an_earlier_state_as_a_report_does(session: ReadSession, company: Database) -> None:
    with EventStore(company, Role.PROJECTOR) as store:
        position = store.command_end(store.head()[0] // 2)
    day = date(2026, 1, 15)
    for as_of, known_at in ((None, None), (day, None), (None, position), (day, position)):
        session.change(as_of=as_of, known_at=known_at)
        expected = {
            row[0]: row[4] for row in run(company, "trial-balance", as_of=as_of or date.max, known_at=known_at).rows if row[4]
        }
        found = dict(rows(session, BALANCES))
        assert {name: f"{amount:f}" for name, amount in expected.items()} == found != {}
        with_cte = f"WITH mine AS ({BALANCES.replace(' ORDER BY account', '')}) SELECT * FROM mine ORDER BY 1"
        assert dict(rows(session, with_cte)) == found
    session.change(as_of=None, known_at=position)
    assert rows(session, "SELECT max(position) FROM timeline") == [(str(position),)]
    assert int(rows(session, "SELECT max(position) FROM ltc_read.timeline")[0][0] or 0) > position, "with a schema: all of it"


def test_the_present_state_is_not_passed_off_as_an_earlier_one(session: ReadSession) -> None:
    session.change(as_of=date(2026, 1, 15))
    with pytest.raises(PresentStateOnly, match="customers shows the present state alone"):
        rows(session, "SELECT * FROM customers")
    assert rows(session, "SELECT count(*) FROM ltc_read.customers") != [("0",)]


@pytest.mark.parametrize(
    "statement",
    [
        "WITH gone AS (DELETE FROM checkpoints RETURNING 1) SELECT * FROM gone",
        "EXPLAIN ANALYZE DELETE FROM checkpoints",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT * INTO x FROM journal",
        "SELECT * FROM ltc.events",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT 1; DELETE FROM checkpoints",
    ],
)
def test_nothing_is_written_and_nothing_else_is_read(session: ReadSession, statement: str) -> None:
    with pytest.raises(QueryRefused):
        rows(session, statement)
    assert rows(session, "SELECT 1") == [("1",)], "the session goes on"


def test_another_role_does_not_last(session: ReadSession) -> None:
    assert rows(session, "SELECT set_config('role', 'none', false)") == [("none",)]
    with pytest.raises(QueryRefused, match="permission denied"):
        rows(session, "SELECT * FROM ltc.events")
    with pytest.raises(OnlyQueries):
        rows(session, "RESET ROLE")


def test_a_query_that_takes_too_long_is_ended(session: ReadSession) -> None:
    session.change(timeout_s=0.2)
    with pytest.raises(QueryTimedOut, match=r"longer than 0\.2 seconds"):
        rows(session, "SELECT pg_sleep(60)")
    assert rows(session, "SELECT 2") == [("2",)]


def test_forms_for_programs(session: ReadSession) -> None:
    query = "SELECT 1 AS a, 12.50 AS b, true AS c, '=1+1' AS d, NULL::text AS e, '{\"f\": 1}'::jsonb AS f, DATE '2026-01-31' AS a"
    (row,) = json.loads(written(session, query, RowFormat.JSON))["rows"]
    assert row == {"a": 1, "b": "12.50", "c": True, "d": "=1+1", "e": None, "f": {"f": 1}, "a_2": "2026-01-31"}
    assert json.loads(written(session, query, RowFormat.JSONL)) == row
    assert written(session, "SELECT '=1+1' AS a, -1 AS b, NULL AS c", RowFormat.CSV) == "a,b,c\n'=1+1,-1,\n"
    moment = written(session, "SELECT TIMESTAMPTZ '2026-01-31 12:00:00.5+02' AS at", RowFormat.JSONL)
    assert json.loads(moment) == {"at": "2026-01-31T10:00:00.5Z"}
    assert json.loads(written(session, "SELECT 1 AS a WHERE false", RowFormat.JSON)) == {"columns": ["a"], "rows": []}
    assert (
        written(session, "SELECT 'infinity'::date, ARRAY[1,2], 1.5::float8", RowFormat.CSV).splitlines()[1]
        == 'infinity,"{1,2}",1.5'
    )


def test_rows_are_not_held_in_memory(session: ReadSession) -> None:
    """The first rows are here before the last one is made: it would fail."""
    with session.run("SELECT 1 / (2000000 - n) FROM generate_series(1, 2000000) n") as found:
        assert next(found.rows) == ("0",)
        with pytest.raises(QueryRefused, match="division by zero"):
            for _ in found.rows:
                pass


def ltc(database: Database, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LTC_DATABASE_URL": database.conninfo, "LTC_LOG_FORMAT": "console"}
    command = [sys.executable, "-m", "ltc_events", *words]
    return subprocess.run(command, env=environment, input=text, capture_output=True, text=True, timeout=120, check=False)


def test_the_line_takes_one_query_or_those_of_stdin(company: Database) -> None:
    done = ltc(company, "sql", "SELECT 'a\x1b[31m' AS x, 7 AS y")
    assert (done.returncode, done.stdout.split()) == (0, ["x", "y", "a\\x1b[31m", "7"])
    assert "(1 row)" in done.stderr
    done = ltc(company, "sql", "--as-is", text="SELECT 1 AS one;\n-- then\nSELECT 2\nAS two; SELECT nope; SELECT 3 AS three")
    assert done.returncode == 1
    assert done.stdout.split() == ["one", "1", "two", "2"], "what follows a query that failed is not carried out"
    assert 'column "nope" does not exist' in done.stderr
    done = ltc(company, "sql", "SELECT count(*) AS n FROM journal", "--as-of", str(ENDS_ON), "--json")
    assert json.loads(done.stdout)["rows"][0]["n"] > 0
    assert ltc(company, "sql", "SELECT 1; SELECT 2").returncode == 2
    assert ltc(company, "sql", "DROP TABLE x").returncode == 2


OWN_TERMINAL = """
import fcntl, runpy, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C there is a signal here
sys.argv = ["ltc", "sql", "--as-is"]
runpy.run_module("ltc_events", run_name="__main__")
"""


class Terminal:
    """`ltc sql` on a terminal."""

    def __init__(self, database: Database) -> None:
        ours, theirs = pty.openpty()
        self._ours = ours
        environment = {
            **os.environ,
            "LTC_DATABASE_URL": database.conninfo,
            "LTC_LOG_FORMAT": "console",
            "TERM": "dumb",
            "COLUMNS": "120",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWN_TERMINAL],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, text: str) -> str:
        """What comes up to and with this text, beyond what was seen before."""
        deadline = time.monotonic() + 60
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self._ours], [], [], 1)[0]:
                self.seen += os.read(self._ours, 65536).decode()
        before, _, self.seen = self.seen.partition(text)
        return before + text


def test_the_shell_goes_on_after_ctrl_c_and_after_errors(company: Database) -> None:
    terminal = Terminal(company)
    terminal.until("ltc=> ")
    terminal.type("SELECT 6 *\n")
    terminal.until("ltc-> ")
    terminal.type("7 AS answer;\n")
    assert "42" in terminal.until("(1 row)")
    terminal.until("ltc=> ")
    terminal.type("SELECT pg_sleep(600);\n")
    terminal.until(";")
    time.sleep(1)
    terminal.type("\x03")
    terminal.until("cancelled")
    terminal.until("ltc=> ")
    terminal.type("SELECT nope;\n")
    terminal.until('column "nope" does not exist')
    terminal.until("ltc=> ")
    terminal.type("SELECT half\n")
    terminal.until("ltc-> ")
    terminal.type("\x03")
    terminal.until("ltc=> ")
    terminal.type("\\known-at 100\n")
    terminal.until("ltc=> ")
    terminal.type("SELECT count(*) FROM timeline;\n")
    terminal.until("as known at position 1")
    terminal.until("ltc=> ")
    terminal.type("\\as-of yesterday\n")
    terminal.until("is not a date")
    terminal.until("ltc=> ")
    terminal.type("\\d journal\n")
    terminal.until("debit positive, credit negative")
    terminal.type("\\q\n")
    assert terminal.process.wait(60) == 0


def test_a_query_sees_whole_commands(database: Database, event_store: EventStore) -> None:
    books = Books(database, event_store)
    books.bill("I", "100")
    books.pay("P", "40", ("I", "40"))
    head = books.catch_up()
    session = ReadSession(database, Asked(known_at=head - 1))
    assert rows(session, "SELECT round(sum(amount)) FROM open_item_movements WHERE item = 'invoice'") == [("60",)]
    session.change(known_at=None, as_of=DAY)
    assert rows(session, "SELECT count(DISTINCT item_id) FROM open_item_movements") == [("2",)]
    session.close()
    books.close()
