"""Rules of the source that linters do not hold: the size of modules and functions, and why an exception is caught broadly."""

import ast
import re
from pathlib import Path

import ltc_events

ROOT = Path(ltc_events.__file__).parent
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}


def test_modules_are_of_a_size_that_is_read_at_once() -> None:
    assert {place for place, text in SOURCES.items() if text.count("\n") > MODULE_LINES_MAX} == set()


def test_functions_are_of_a_size_that_is_seen_at_once() -> None:
    found = set()
    for place, text in SOURCES.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    found.add(f"{place}: {node.name}, {lines} lines")
    assert found == set()


def test_who_catches_everything_says_why() -> None:
    lines = [(place, line) for place, text in SOURCES.items() for line in text.splitlines()]
    broad = [(place, line) for place, line in lines if re.search(r"^ *except (Exception|BaseException)\b", line)]
    assert [place for place, line in broad if not re.search(r"#(?: noqa: [A-Z0-9, ]+ -)? \w+ \w+", line)] == []


def test_doors_and_workers_open_stores_through_the_bootstrap() -> None:
    above = ("cli/", "workers/", "recovery/", "diagnosis/", "explanation/", "simulation/")
    opened = {place for place, text in SOURCES.items() if re.search(r"\b(EventStore|TimedStore|open_database)\(\w", text)}
    assert "projections/following/store_runner.py" in opened
    assert {place for place in opened if place.startswith(above)} == {"workers/metrics.py"}  # a class below EventStore


def test_one_module_alone_makes_authorised_messages() -> None:
    made = {place for place, text in SOURCES.items() if re.search(r"\bAuthorised\(|cast\([^)]*\bAuthorised", text)}
    assert made == {"application/authorisation.py"}
