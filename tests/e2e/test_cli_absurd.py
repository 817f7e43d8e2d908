"""Absurd values for every option and argument of every command: no traceback, a status that says so, and what was wrong."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.commands import register
from tests.e2e.test_cli import Ltc, lines

from ltc_events.cli.main import app
from ltc_events.store import Database

ROOT = Path(__file__).parents[2]
NUMBERS = ("-1", "1000000000", "1" + "0" * 30, "-" + "9" * 40, "1e400", "nan", "")
TEXTS = ("", "0001-01-05", "9999-12-31", "2026-13-45", "\udcff\udcfe", "a" * 5000, "1" + "0" * 30, "-1", "[bold]x[/nope]")
PLACES = ("", "/", "/dev/full", "/nonexistent/folder/file", "\udcff\udcfe", "a" * 5000)
NEEDED = {
    "number": "INV-2026-000001", "id": "1", "position": "1", "subject": "6d1c7f62-5b36-5a3e-9c2f-0123456789ab", "build": "v1",
    "file": os.devnull, "mapping": str(ROOT / "examples/olist_marketing"), "data": str(ROOT / "examples"),
    "left": "v1", "right": "v1", "ids": "1", "reason": "tested", "projection": "customers", "names": "customers",
    "text": "Acme", "what": "6d1c7f62-5b36-5a3e-9c2f-0123456789ab", "folder": "nowhere", "old": "1", "login": "nobody_there",
    "name": "notary", "role": "clerk", "commands": "invoice.issue", "principal": "user:nobody", "command": "invoice.issue",
    "run": "01a22d60-9c76-8bb7-a168-26e0454d7e52",
}  # fmt: skip
NAMES = {("report",): "funnel"}
# They are at work until they are told to end, or for minutes, or write into this tree.
LEFT_OUT = {("worker",), ("demo",), ("init",), ("schema",)}
FEW, SOME = 3, 3
"""Where more than so many commands have an option, each of them is called with so many of its absurd values."""


@cache
def commands() -> dict[tuple[str, ...], Any]:
    """Every command by its words."""
    found: dict[tuple[str, ...], Any] = {}

    def walk(words: tuple[str, ...], command: Any) -> None:
        if hasattr(command, "commands"):
            for name in command.commands:
                walk((*words, name), command.commands[name])
        else:
            found[words] = command

    walk((), typer.main.get_command(app))
    return found


def values(option: Any) -> tuple[str, ...]:
    kind = str(option.type_descriptor.annotation)
    if "int" in kind or "float" in kind:
        return NUMBERS
    return PLACES if "Path" in kind else TEXTS


def cases() -> Iterator[tuple[tuple[str, ...], str, list[str]]]:
    """The command, the option or argument, and the words of a call with an absurd value of it."""
    turn: Counter[str] = Counter()
    for words, command in tried():
        needed = [one for one in command.params if one.param_type_name == "argument" and one.required]
        given = [NAMES.get(words, "customers") if one.name == "name" else NEEDED[one.name] for one in needed]
        required = [f"{one.opts[0]}={NEEDED[one.name]}" for one in command.params if one.opts[0][:1] == "-" and one.required]
        for option in command.params:
            if option.param_type_name != "argument" and (option.is_flag or option.name == "help"):
                continue
            for value in of_turn(option, turn):
                if option in needed:
                    place = needed.index(option)
                    yield words, option.name, [*words, *required, "--", *given[:place], value, *given[place + 1 :]]
                elif option.param_type_name == "argument":
                    yield words, option.name, [*words, *required, "--", *given, value]
                else:
                    yield words, option.opts[0], [*words, *required, f"{option.opts[0]}={value}", *given]


def tried() -> list[tuple[tuple[str, ...], Any]]:
    """The commands that are called."""
    return [(words, command) for words, command in commands().items() if words[:1] not in LEFT_OUT]


@cache
def holders() -> Counter[str]:
    """How many commands have an option or argument of this name."""
    return Counter(option.name for _, command in tried() for option in command.params)


def of_turn(option: Any, turn: Counter[str]) -> tuple[str, ...]:
    """The absurd values of an option in this command: all where few commands have it, else some, others in the next one."""
    every = values(option)
    if holders()[option.name] <= FEW:
        return every
    start = turn[option.name]
    turn[option.name] += SOME
    return tuple(every[(start + index) % len(every)] for index in range(SOME))


def run_all(calls: list[list[str]], environment: dict[str, str], at_once: int = 1) -> list[dict[str, Any]]:
    program = [sys.executable, "-W", "ignore", "-m", "tests.e2e.many_commands", str(at_once)]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    with tempfile.TemporaryDirectory() as folder:  # some write where they are told to
        done = subprocess.run(
            program,
            input=json.dumps(calls).encode(),
            capture_output=True,
            env={**environment, "PYTHONPATH": paths},
            cwd=folder,
            timeout=900,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def ltc(database: Database, tmp_path: Path) -> Ltc:
    ltc = Ltc(LTC_DATABASE_URL=database.conninfo, LTC_HOME=str(tmp_path))  # keys are made there
    ltc("submit", "-", stdin=lines(register()))
    ltc("submit", "-", stdin=b"garbage", exits=1)
    ltc("projections", "catch-up")
    return ltc


def problems(done: dict[str, Any]) -> Iterator[str]:
    """What is wrong with how a call ended."""
    told, status = done["told"], done["status"]
    if "Traceback" in told or '"defect"' in told:
        yield "a traceback"
    if status not in (None, 0, 1, 2):
        yield f"status {status}"
    if status in (1, 2) and not told.strip():
        yield "not a word"


def test_no_absurd_value_is_answered_with_a_traceback(ltc: Ltc) -> None:
    all_cases = list(cases())
    assert len({words for words, _, _ in all_cases}) >= 20
    done = run_all([call for _, _, call in all_cases], ltc.environment)
    found = [
        f"{' '.join(words)} {name}: {wrong}: {[one[:60] for one in call]}: {ended['told'][-400:]}"
        for (words, name, call), ended in zip(all_cases, done, strict=True)
        for wrong in problems(ended)
    ]
    assert not found, "\n".join(found)


def test_what_is_named_for_a_ledger_that_is_not_there(home: Path) -> None:
    settings = [
        ("--days", ("simulate", "--days", "1000000000")),
        ("--days", ("demo", "--days", "-1")),
        ("--as-of", ("report", "dso", "--as-of", "yesterday")),
        ("--metrics-port", ("worker", "--metrics-port", "70000", "relay")),
        ("--unhealthy-after", ("worker", "--unhealthy-after", "-1", "relay")),
        ("--commands", ("worker", "all", "--commands", "1" + "0" * 30)),
        ("--log-format", ("--log-format", "xml", "doctor")),
        ("--partitions", ("init", "--kafka", "--partitions", "0")),
        ("--count", ("events", "tail", "--count", "1" + "0" * 30)),
        ("--known-at", ("report", "dso", "--known-at", "-1")),
        ("--changed-since", ("report", "dso", "--changed-since", "")),
        ("--data", ("import", os.devnull, "--data", "/nonexistent")),
        ("--output", ("report", "funnel", "--format", "parquet")),
        ("--reason", ("projections", "switch", "leads", "--force")),
        ("--reason", ("projections", "switch", "--all", "--force", "--reason", " ")),
        ("--reason", ("recover", "--yes")),
        ("--reason", ("recover", "--discard", "--yes", "--reason", "")),
        ("--reason", ("expired", "--yes")),
        ("--reason", ("dead-letters", "discard", "1", "--reason", " ")),
        ("--partitions", ("init", "--partitions", "4")),
        ("--min-insync-replicas", ("init", "--min-insync-replicas", "1")),
    ]
    for option, words in settings:
        assert option in Ltc(LTC_HOME=str(home))(*words, exits=2).stderr.decode()


def test_every_report_at_the_ends_of_time(company_cli: Ltc) -> None:
    from ltc_events.reports.registry import all_reports

    calls = [
        ["report", report.name, "--as-of", day, *(["--customer", "x"] if "customer" in report.parameters else []), "--json"]
        for report in all_reports()
        for day in ("0001-01-01", "0001-01-05", "1900-01-01", "9999-12-30", "9999-12-31")
    ]
    calls += [["report", "funnel", f"--{name}", str(10**30)] for name in ("known-at", "changed-since")]
    found = [
        f"{one['words']}: {wrong}: {one['told'][-400:]}"
        for one in run_all(calls, company_cli.environment)
        for wrong in problems(one)
    ]
    assert not found, "\n".join(found)


def test_a_reader_that_has_had_enough_and_a_disk_that_is_full(company_cli: Ltc) -> None:
    for words in (
        ("events", "tail", "-n", "5000"),
        ("report", "receivables-aging", "--format", "csv"),
        ("report", "funnel", "--json"),
    ):
        line = " ".join([*company_cli.start, *words])
        piped = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line} | head -1 >/dev/null"],
            env=company_cli.environment, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        assert piped.returncode in (0, 1), piped.stderr
        assert b"Traceback" not in piped.stderr
        assert b"Broken pipe" not in piped.stderr
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [*company_cli.start, *words],
                env=company_cli.environment,
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=120,
                check=False,
            )
        assert done.returncode == 1
        assert b"no space is left" in done.stderr
        assert b"Traceback" not in done.stderr


def test_every_output_on_a_terminal_that_knows_ascii_alone(company_cli: Ltc) -> None:
    plain = Ltc(**{**company_cli.environment, "LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    plain.environment["LTC_DATABASE_URL"] = company_cli.environment["LTC_DATABASE_URL"]
    for words in (
        ("explain", "invoice", "INV-2026-000001"), ("report", "funnel"), ("report", "list"), ("projections", "status"),
        ("projections", "list"), ("events", "tail"), ("doctor",), ("--help",), ("report", "receivables-aging", "--format", "csv"),
    ):  # fmt: skip
        assert plain(*words).stdout.isascii(), words
    told = plain("explain", "invoice", "INV-2026-000001", "--json").stdout
    assert json.loads(told) == company_cli.json("explain", "invoice", "INV-2026-000001")


@pytest.mark.parametrize("words", [("report", "funell"), ("nonsense",), ("explain", "invoice", "none"), ("worker", "relay")])
def test_fatal_errors_follow_the_format_of_the_log(company_cli: Ltc, words: tuple[str, ...]) -> None:
    def told(format: str) -> tuple[int, str]:
        command = [*company_cli.start, *words]
        settings = company_cli.environment | {"LTC_LOG_FORMAT": format}
        done = subprocess.run(command, env=settings, capture_output=True, timeout=120, check=False)
        return done.returncode, done.stderr.decode()

    status, said = told("json")
    line = json.loads(said.strip().splitlines()[-1])
    assert (line["event"], line["level"]) == ("failed", "error")
    assert {"code", "message", "fix"} <= line.keys()
    assert all(one.startswith("{") for one in said.splitlines())
    assert told("console")[0] == status
    assert not told("console")[1].startswith("{")
