"""Workers and servers are killed, stopped and cut off by plan: nothing is lost, nothing happens twice, and that is checked.

`make faults` runs as many plans as one likes (docs/faults.md).
"""

import random
import re

import pytest
from tests.e2e.faults import administrator, scene
from tests.e2e.faults.load import make_load
from tests.e2e.faults.plan import FAULTS, GOES_BACK, HANDS, PROVOKED_BY, PROVOKED_MS, Fault, Plan, make_plan, plan_of, provoking
from tests.e2e.faults.run import Report, run
from tests.e2e.faults.servers import Servers
from tests.e2e.faults.worker import BREAK

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
COMMANDS = 250


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


@pytest.mark.parametrize("broken", sorted(PROVOKED_BY))
def test_a_plan_has_what_comes_upon_a_broken_guard_and_nothing_that_puts_it_in_order_again(broken: str) -> None:
    assert PROVOKED_BY.keys() == BREAK.keys() - {""}
    wanted = {Fault(*words.split()) for words in PROVOKED_BY[broken]}
    for seed in range(HANDS):
        faults = [step.fault for step in provoking(make_plan(seed), broken).steps]
        assert wanted <= set(faults)
        assert not [one for one in faults if one.action in GOES_BACK and one not in wanted]
        assert "expire-commands" not in [one.action for one in faults[:-1]]


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


def test_commands_that_expire_are_given_up_by_word_alone(servers: Servers) -> None:
    report = run(servers, some("expire-commands"), make_load(1, COMMANDS))
    assert not report.violations, described(report)
    assert "given up" in report.journal, described(report)


@pytest.mark.parametrize("fault", ["restore-backup", "fail-over"])
def test_a_store_that_goes_back_is_noticed_and_brought_into_order(servers: Servers, fault: str) -> None:
    report = run(servers, some(fault), make_load(1, COMMANDS))
    assert not report.violations, described(report)
    assert report.injected.total() == 1, described(report)
    assert "recovered" in report.journal or "nobody is ahead" in report.journal, described(report)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("offset-cas", "times among the dead letters"),
        ("outcome-check", "has 2 outcomes"),
        ("checkpoint", "is not what the store says|duplicate key value"),
        # Somebody may notice by a head that fell, and all be put back: then projectors that do not look at epochs take what comes
        # after it for events of the first one, behind which that was void.
        ("epoch", "nobody who is ahead of it said so|on Kafka is not what is stored|read table .* is not what the store says"),
        ("expiry", "commands expired, and for .* no worker said so"),
    ],
)
def test_a_guard_that_is_broken_is_found_out(servers: Servers, monkeypatch: pytest.MonkeyPatch, broken: str, told: str) -> None:
    monkeypatch.setattr(scene, "SETTLED_S", 15.0)
    monkeypatch.setattr(administrator, "NOTICED_S", 10.0)
    plan = lasting(some(*PROVOKED_BY[broken]), PROVOKED_MS)
    # A fault may hit a worker where what it does twice does no harm, but not in three loads. Where a key of the database
    # refuses what a broken checkpoint let through, only the log has it.
    for load in range(1, 4):
        report = run(servers, plan, make_load(load, COMMANDS, garbage_percent=30), broken=broken)
        seen = [*report.violations, *(report.log.splitlines() if broken == "checkpoint" else ())]
        if any(re.search(told, one) for one in seen):
            break
    else:
        pytest.fail(described(report))
    others = [one for one in report.violations if re.search(r"stopped before \S+ at \d+: (?!UniqueViolation)", one)]
    assert not others, "what is broken is to be the guard alone"


def lasting(plan: Plan, ms: int) -> Plan:
    """The same faults, each for so long."""
    return plan._replace(steps=tuple(step._replace(lasts_ms=ms) for step in plan.steps))


def test_an_outage_is_told_by_every_worker_while_it_lasts(servers: Servers) -> None:
    report = run(servers, lasting(some("stop-database", "kill-broker"), 3000), make_load(1, COMMANDS))
    assert not report.violations, described(report)
    assert report.injected.total() == 2, described(report)
    assert report.statements > 50, described(report)


def test_a_guard_of_health_that_is_broken_is_found_out(servers: Servers) -> None:
    report = run(servers, lasting(some("stop-database"), 3000), make_load(1, COMMANDS), broken="health")
    assert any("says it has measured" in one for one in report.violations), described(report)
    assert not [one for one in report.violations if "says" not in one and "more like these" not in one], described(report)


def described(report: Report) -> str:
    return "\n".join([*report.violations, str(report.plan), report.journal, report.log])
