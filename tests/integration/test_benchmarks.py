"""The benchmarks run, and say what they are asked to say. How quick anything is, is not looked at here."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from benchmarks.figure import Figure, Target, against_peer, not_run, within

PROJECT = Path(__file__).parents[2]
FIELDS = ["name", "unit", "ours", "peer", "theirs", "ratio", "target", "reached"]


def test_every_benchmark_runs_and_gives_figures_of_one_shape() -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json"]
    environment = {**os.environ, "PYTHONPATH": "src"}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, timeout=300, check=True)
    figures = orjson.loads(done.stdout)
    assert all(list(figure) == FIELDS for figure in figures)
    assert len({figure["name"] for figure in figures}) == len(figures)
    for figure in figures:
        if figure["ours"] is None:
            assert figure["peer"].startswith("not run: ")
            continue
        assert figure["ours"] > 0
        assert figure["theirs"] > 0
        assert figure["ratio"] == pytest.approx(figure["ours"] / figure["theirs"], rel=0.01)
        assert isinstance(figure["reached"], bool) == bool(figure["target"])
    aimed_at = {figure["name"].partition(",")[0] for figure in figures if figure["target"]}
    over_kafka = {"commands from Kafka", "relay to Kafka", "end to end at 500 commands/s"}
    assert over_kafka <= {figure["name"].partition(",")[0] for figure in figures}
    assert {"commands", "a lone command", "projecting receivables", "reading the log", "slowest report"} <= aimed_at


def test_a_target_is_reached_when_every_bound_holds() -> None:
    target = Target(ours_min=15_000, ratio_min=20)
    assert target.text("commands/s") == "≥ 15,000 commands/s and ≥ 20 ×"
    assert against_peer("a", "commands/s", 15_000, "peer", 750, target).reached
    assert against_peer("a", "commands/s", 14_999, "peer", 100, target).reached is False
    assert against_peer("a", "commands/s", 16_000, "peer", 801, target).reached is False
    assert Target(ratio_max=2).text("ms") == "≤ 2 ×"
    assert against_peer("a", "ms", 4, "peer", 2, Target(ratio_max=2)).reached
    assert against_peer("a", "ms", 4, "peer", 2).reached is None


def test_a_limit_is_a_target_of_its_own() -> None:
    figure = within("a", "s", 4.56789, 10)
    assert list(figure.document().values()) == ["a", "s", 4.568, "limit", 10, 0.4568, "≤ 10 s", True]
    assert within("a", "s", 10.1, 10).reached is False


def test_what_was_not_run_says_why() -> None:
    assert not_run("a", "s", "data absent") == Figure("a", "s", None, "not run: data absent", None)
