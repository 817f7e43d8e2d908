"""The alarms as Prometheus evaluates them, over what workers really said while servers were away."""

from pathlib import Path

import pytest
from tests.e2e.faults.alarms import scraped
from tests.e2e.faults.load import make_load
from tests.e2e.faults.run import run
from tests.e2e.faults.servers import Servers
from tests.e2e.faults.statements import PATIENCE_S
from tests.e2e.faults.test_faults import COMMANDS, described, lasting, some
from tests.promtool import Alarm, firing, promtool

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
AWAY_S = 40
WAITS_S = 30
"""So long a worker waits before somebody is woken for it."""
SLACK_S = 8
"""Until the worker has noticed, and until it was scraped, on a machine with much to do."""
BEFORE_S = 4
"""So long all is well before the server goes; the first half of it is looked at, as a server takes a moment to go."""
WELL_S = 2
"""Two scrapes, so that one of them has nothing from before."""
UNHEALTHY, WAITS = "LtcWorkerUnhealthy", "LtcWorkerWaits"


def test_a_database_that_is_away_is_told_of_every_worker_in_time_and_no_longer_than_it_is_so(
    servers: Servers, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    away, back = fired(servers, request, tmp_path, "stop-database")
    workers = {"command", "relay", "projector"}
    assert away[0] == set()
    assert away[PATIENCE_S] == away[WAITS_S - SLACK_S] == {Alarm(UNHEALTHY, one) for one in workers}
    assert away[WAITS_S] == {Alarm(name, one) for name in (UNHEALTHY, WAITS) for one in workers}
    assert back == set()


def test_a_broker_that_is_away_is_told_of_whoever_reads_from_it(
    servers: Servers, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    away, back = fired(servers, request, tmp_path, "kill-broker")
    assert away[0] == set()
    assert Alarm(UNHEALTHY, "command") in away[PATIENCE_S] & away[WAITS_S]
    assert {one.name for one in away[WAITS_S]} <= {UNHEALTHY, WAITS}
    assert back == set()


def fired(
    servers: Servers, request: pytest.FixtureRequest, folder: Path, fault: str
) -> tuple[dict[float, set[Alarm]], set[Alarm]]:
    """The alarms by how long the server is away (and SLACK_S, until that was noticed and scraped), and those in the end."""
    tool = promtool(request)
    plan = lasting(some(fault), AWAY_S * 1000)
    plan = plan._replace(steps=tuple(step._replace(delay_ms=BEFORE_S * 1000) for step in plan.steps))
    report = run(servers, plan, make_load(1, COMMANDS), well_s=WELL_S)
    assert not report.violations, described(report)
    assert report.well_until is not None
    (outage,) = report.outages
    began = outage.began - BEFORE_S
    last = int(report.well_until - began) - 1
    looks = {one: BEFORE_S + round(one + SLACK_S) for one in (PATIENCE_S, WAITS_S - SLACK_S, WAITS_S)}
    looks[WAITS_S - SLACK_S] -= SLACK_S
    first = range(BEFORE_S // 2)
    found = firing(tool, folder, scraped(report.said, began, last), {*first, *looks.values(), last})
    away = {away: found[moment] for away, moment in looks.items()}
    # Who is short of the machine for a second says so, and somebody is called by what goes on.
    return {0.0: set.intersection(*(found[moment] for moment in first)), **away}, found[last]
