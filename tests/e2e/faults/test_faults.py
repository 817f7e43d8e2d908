"""Workers and servers are killed, stopped and cut off by plan: nothing is lost, nothing happens twice, and that is checked.

`make faults` runs as many plans as one likes (docs/faults.md).
"""

import os
import random
import re
from collections.abc import Iterator

import pytest
from tests.e2e.faults import scene
from tests.e2e.faults.load import make_load
from tests.e2e.faults.plan import FAULTS, HANDS, Fault, Plan, make_plan, plan_of
from tests.e2e.faults.run import Report, run
from tests.e2e.faults.servers import Servers

from ltc_events.bus.local_broker import BrokerUnavailable

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
COMMANDS = 250


@pytest.fixture(scope="session")
def harmed() -> Iterator[Servers | BrokerUnavailable]:
    """Servers to be harmed, or why there are none."""
    try:
        servers = Servers()
    except BrokerUnavailable as error:
        yield error
    else:
        with servers:
            yield servers


@pytest.fixture
def servers(harmed: Servers | BrokerUnavailable, request: pytest.FixtureRequest) -> Servers:
    if isinstance(harmed, Servers):
        return harmed
    if os.environ.get("CI"):
        raise harmed
    pytest.skip(f"NOT RUN {request.node.name}: {harmed.message}")


def some(*faults: str, tailing: bool = False, **crew: int) -> Plan:
    """A plan with these faults."""
    plan = plan_of([Fault(*fault.split()) for fault in faults], 1, random.Random(1))
    return plan._replace(partitions=2, crew={"command": 1, "relay": 1, "projector": 1, **crew}, tailing=tailing)


def test_a_seed_is_the_same_plan_and_the_same_load_again() -> None:
    assert make_plan(7) == make_plan(7) != make_plan(8)
    assert make_load(7, 50) == make_load(7, 50) != make_load(8, 50)


@pytest.mark.parametrize("first", range(0, 4 * HANDS, HANDS))
def test_three_seeds_have_every_kind_of_fault(first: int) -> None:
    dealt = [step.fault for seed in range(first, first + HANDS) for step in make_plan(seed).steps]
    assert sorted(dealt) == sorted(FAULTS)


@pytest.mark.parametrize("seed", range(HANDS))
def test_no_fault_loses_or_doubles_anything(servers: Servers, seed: int) -> None:
    report = run(servers, make_plan(seed), make_load(seed))
    assert not report.violations, described(report)
    assert report.injected.total() >= len(report.plan.steps) // 2, described(report)


def test_workers_that_were_stopped_wake_up_replaced_and_write_nothing(servers: Servers) -> None:
    """A command worker beyond its session, right before its commit; a relay beyond its lease, before its offset moves."""
    plan = some("pause relay before-checkpoint", "pause command before-commit", relay=2)
    report = run(servers, plan, make_load(1, COMMANDS))
    assert not report.violations, described(report)
    assert report.injected.total() == 2, described(report)
    assert "command_feed_moved" in report.log, described(report)
    assert report.log.count("relay_active") >= 2, described(report)
    assert "connection_lost" in report.log, described(report)


@pytest.mark.parametrize(
    ("broken", "plan", "told"),
    [
        ("offset-cas", some("pause command before-commit"), "times among the dead letters"),
        ("outcome-check", some("add command", "kill command after-hear", "add command"), "has 2 outcomes"),
        ("checkpoint", some("pause projector before-write"), "is not what the store says|already exists"),
    ],
    ids=["offset-cas", "outcome-check", "checkpoint"],
)
def test_a_guard_that_is_broken_is_found_out(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, broken: str, plan: Plan, told: str
) -> None:
    monkeypatch.setattr(scene, "SETTLED_S", 15.0)
    report = run(servers, plan, make_load(1, COMMANDS, garbage_percent=30), broken=broken)
    assert any(re.search(told, one) for one in report.violations), described(report)
    others = [one for one in report.violations if re.search(r"stopped before \S+ at \d+: (?!UniqueViolation)", one)]
    assert not others, "what is broken is to be the guard alone"


def described(report: Report) -> str:
    return "\n".join([*report.violations, str(report.plan), report.journal, report.log])
