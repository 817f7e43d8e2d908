"""Each alarm fires when it should, as soon as it should, and not before: evaluated by Prometheus' own tool."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.promtool import ALARMS, Alarm, firing, promtool

SERVICES = ("command", "relay", "projector", "clock")
CALM = {f'up{{job="ltc",service="{one}"}}': 1.0 for one in SERVICES}
STEP_S = 5
END_S = 1800
BEGINS_S = 600
"""What is wrong is wrong from then on; all is well before."""


def values(before: float, then: float) -> list[float]:
    return [before if at < BEGINS_S else then for at in range(0, END_S + STEP_S, STEP_S)]


def rising(rate: float, then: float) -> list[float]:
    """A counter that rises at one rate a second, and then at another."""
    return [rate * min(at, BEGINS_S) + then * max(at - BEGINS_S, 0) for at in range(0, END_S + STEP_S, STEP_S)]


def ageing() -> list[float]:
    """The age in seconds of what stands still."""
    return [max(at - BEGINS_S, 0.0) for at in range(0, END_S + STEP_S, STEP_S)]


TABLE = 'ltc_projector_failed{service="projector",table="orders"}'
# What is scraped, the alarm, and after how many seconds it fires.
WRONG: dict[str, tuple[dict[str, list[float]], Alarm, int]] = {
    "unhealthy": (
        {'ltc_worker_healthy{service="relay",worker="relay"}': values(1, 0)}, Alarm("LtcWorkerUnhealthy", "relay"), 0,
    ),
    "does not answer": ({'up{job="ltc",service="relay"}': values(1, 0)}, Alarm("LtcWorkerGone", "relay"), 60),
    "waits": (
        {'ltc_worker_waiting_seconds{service="command",reason="database_unreachable"}': ageing()},
        Alarm("LtcWorkerWaits", "command"), 35,
    ),
    "not measured": (
        {'ltc_measurement_age_seconds{service="projector"}': ageing()}, Alarm("LtcNotMeasured", "projector"), 65,
    ),
    "behind": (
        {'ltc_oldest_unprocessed_seconds{service="command"}': ageing()}, Alarm("LtcWaitsTooLong", "command"), 65 + 300,
    ),
    "table stopped": ({TABLE: values(0, 1)}, Alarm("LtcReadTableStopped", "orders"), 0),
    "table held up": (
        {'ltc_projector_retrying{service="projector",table="orders"}': values(0, 1)}, Alarm("LtcReadTableHeldUp", "orders"), 120,
    ),
    "table leaves out": (
        {
            'ltc_projector_skipped{service="projector",table="orders"}': values(0, 0),
            'ltc_projector_parked{service="projector",table="orders"}': values(0, 1),
        },
        Alarm("LtcReadTableLeavesOut", "orders"), 900,
    ),
    "dead letters": ({'ltc_dead_letters{service="command",state="open"}': values(0, 2)}, Alarm("LtcDeadLetters", ""), 900),
    "refusals": (
        {
            'ltc_commands_total{service="command",outcome="accepted"}': rising(10, 5),
            'ltc_commands_total{service="command",outcome="refused"}': rising(0, 5),
        },
        Alarm("LtcManyRefusals", ""), 900 + 240,
    ),
    "slow commits": (
        {
            'ltc_commit_seconds_bucket{service="command",le="1.0"}': rising(10, 0),
            'ltc_commit_seconds_bucket{service="command",le="2.0"}': rising(10, 10),
            'ltc_commit_seconds_bucket{service="command",le="+Inf"}': rising(10, 10),
        },
        Alarm("LtcCommitsSlow", ""), 600 + 5,
    ),
}  # fmt: skip


@pytest.fixture
def tool(request: pytest.FixtureRequest) -> str:
    return promtool(request)


def test_the_rules_are_as_prometheus_reads_them(tool: str) -> None:
    done = subprocess.run([tool, "check", "rules", str(ALARMS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alarm_has_its_case() -> None:
    rules: Any = yaml.safe_load(ALARMS.read_text(encoding="utf-8"))
    named = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert named == {alarm.name for _, alarm, _ in WRONG.values()}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_alarm_fires_in_time_and_not_before(tool: str, tmp_path: Path, wrong: str) -> None:
    scraped, alarm, after_s = WRONG[wrong]
    series: dict[str, list[float | None]] = {name: list(values(one, one)) for name, one in CALM.items()}
    series |= {name: list(told) for name, told in scraped.items()}
    fires = BEGINS_S + after_s
    # It is told by what was scraped last: one scrape later at most.
    found = firing(tool, tmp_path, series, [BEGINS_S - STEP_S, fires - STEP_S, fires + STEP_S, END_S], step_s=STEP_S)
    assert found[BEGINS_S - STEP_S] == found[fires - STEP_S] == set()
    assert found[fires + STEP_S] == found[END_S] == {alarm}


def test_a_service_without_any_replica_is_told(tool: str, tmp_path: Path) -> None:
    series: dict[str, list[float | None]] = {name: list(values(one, one)) for name, one in CALM.items() if "relay" not in name}
    assert firing(tool, tmp_path, series, [55, 65], step_s=STEP_S) == {55: set(), 65: {Alarm("LtcWorkerGone", "relay")}}
