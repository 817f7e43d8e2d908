"""What was known at a position is what whole commands did: every door takes the same position, and says which."""

import io
import json
from collections.abc import Iterator

import pytest
import typer
from rich.console import Console
from tests.commits import one_command
from typer.testing import CliRunner

from ltc_events.bootstrap.services import Services
from ltc_events.bootstrap.settings import load_settings
from ltc_events.cli.projections.verify import digest_
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.following.store_runner import Runner, open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.changes import open_changes
from ltc_events.reports.parameters import known_position
from ltc_events.reports.render import write_json, write_table
from ltc_events.reports.runner import open_report, run
from ltc_events.store import Database, EventStore, Role


@pytest.fixture
def store(company: Database) -> Iterator[EventStore]:
    with EventStore(company, Role.PROJECTOR) as store:
        yield store


def spans(company: Database, count: int = 12) -> list[tuple[int, int]]:
    """First and last positions of some commands with several events, those with the most first."""
    with company.connect(Role.PROJECTOR) as connection:
        return connection.execute(
            "SELECT first_position, last_position FROM ltc.outcomes WHERE last_position > first_position"
            " ORDER BY last_position - first_position DESC, 1 LIMIT %s",
            (count,),
        ).fetchall()


def test_every_door_takes_the_end_of_the_command(company: Database, store: EventStore) -> None:
    found = spans(company)
    assert found
    for first, last in found:
        for asked in range(first, last + 1):
            assert known_position(store, str(asked)) == last
            assert run(company, "trial-balance", known_at=asked).position == last
            with open_changes(company, "trial-balance", asked) as changes:
                assert changes.then.position == last
        if first > 1:
            assert known_position(store, str(first - 1)) == run(company, "trial-balance", known_at=first - 1).position < first


def test_the_position_that_was_taken_is_told(company: Database) -> None:
    (first, last), *_ = spans(company)
    stream = io.StringIO()
    with open_report(company, "trial-balance", known_at=first) as answer:
        write_json(answer, stream)
    assert json.loads(stream.getvalue())["position"] == last
    stream = io.StringIO()
    with open_report(company, "trial-balance", known_at=first) as answer:
        write_table(answer, Console(file=stream, width=200))
    assert f"known at position {last:,}" in stream.getvalue()


def test_digests_are_of_whole_commands(company: Database) -> None:
    (first, last), *_ = spans(company)
    app = typer.Typer()
    app.command()(digest_)
    services = Services(load_settings(database_url=company.conninfo))
    told = CliRunner().invoke(app, ["invoices", "--known-at", str(first), "--json"], obj=services, catch_exceptions=False)
    services.close()
    assert [one["position"] for one in json.loads(told.stdout)["digests"]] == [last]


def test_a_moment_is_never_amid_a_command(company: Database, store: EventStore) -> None:
    for first, last in spans(company):
        moment = store.recorded_at(first)
        assert moment is not None
        position = run(company, "trial-balance", known_at=moment).position
        assert position >= last
        assert store.command_end(position) == position


def test_read_tables_that_are_amid_a_command_tell_what_was_before_it(
    database: Database, event_store: EventStore, log: EventStore, projector: Connection
) -> None:
    """As they are, while they are on their way."""
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    before = event_store.append(one_command(events=2)) + 2
    event_store.append(one_command(events=3))
    runner = Runner(log, [projector], PROJECTIONS)
    assert runner.catch_up(events_max=4) == 4
    for asked in (None, 2, 3, 4, 5):
        assert run(database, "trial-balance", known_at=asked).position == before
    assert run(database, "trial-balance", known_at=1).position == before
    runner.catch_up()
    assert [run(database, "trial-balance", known_at=asked).position for asked in range(7)] == [0, 2, 2, 5, 5, 5, 5]
