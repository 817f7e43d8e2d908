"""The alarms of ops/prometheus, evaluated by Prometheus' own tool over given series: which fire when."""

import json
import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

ALARMS = Path(__file__).parents[1] / "ops" / "prometheus" / "alarms.yml"
_TIME = re.compile(r"time: (?P<time>[\dhms.]+),\s*exp: ?nil\s*got: ?(?P<got>.*)")
_PART = re.compile(r"([\d.]+)(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Alarm(NamedTuple):
    """An alarm that fires, and what it is about: a service, a worker, a table."""

    name: str
    about: str


def promtool(request: pytest.FixtureRequest) -> str:
    """The tool; without it, the test fails in CI and is reported as not run elsewhere."""
    found = shutil.which("promtool")
    if found is not None:
        return found
    if os.environ.get("CI"):
        raise FileNotFoundError("promtool (of the package prometheus) is not installed")
    pytest.skip(f"NOT RUN {request.node.name}: promtool is not installed")


def firing(
    tool: str, folder: Path, series: Mapping[str, Sequence[float | None]], moments: Iterable[int], *, step_s: int = 1
) -> dict[int, set[Alarm]]:
    """By moment (seconds) the alarms that fire then.

    `series`: as `name{label="value"}`, a value for each step; None: nothing was scraped, NaN: what was scraped has it no more.
    """
    moments = sorted(moments)
    tested = {
        "rule_files": [str(ALARMS)],
        "evaluation_interval": f"{step_s}s",
        "tests": [
            {
                "interval": f"{step_s}s",
                "input_series": [{"series": name, "values": " ".join(map(_value, values))} for name, values in series.items()],
                "promql_expr_test": [{"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{moment}s"} for moment in moments],
            }
        ],
    }
    file = folder / "alarms_test.yml"
    file.write_text(json.dumps(tested))  # JSON is YAML
    done = subprocess.run([tool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    found: dict[int, set[Alarm]] = {moment: set() for moment in moments}
    for one in _TIME.finditer(told):
        found[_moment(one["time"])] = set(_alarms(one["got"]))
    assert done.returncode == 0 or any(found.values()), told
    return found


def _value(one: float | None) -> str:
    return "_" if one is None else "stale" if math.isnan(one) else f"{one:.3f}"


def _moment(text: str) -> int:
    return round(sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text)))


def _alarms(got: str) -> Iterable[Alarm]:
    for labels in re.findall(r"\{(.*?)\} 1E\+00", got):
        told = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        about = next((told[one] for one in ("service", "worker", "table") if one in told), "")
        yield Alarm(told["alertname"], about)
