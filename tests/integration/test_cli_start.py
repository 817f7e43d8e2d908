"""What a command of the line imports: a start costs what it needs. Held by modules, not by seconds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from ltc_events.cli.commands import COMMANDS
from ltc_events.cli.lazy import first_sentence
from ltc_events.cli.main import app
from ltc_events.store import Database

ROOT = Path(__file__).parents[2]
PROGRAM = """
import atexit, json, sys
atexit.register(lambda: sys.stderr.write("\\n" + json.dumps(sorted(sys.modules))))
from ltc_events.cli.main import main
main()
"""
HEAVY = {
    "psycopg",
    "pydantic",
    "pydantic_settings",
    "kafka",
    "eventsourcing",
    "rich",
    "structlog",
    "orjson",
    "prometheus_client",
    "iso4217",
}
CHECKS = {"email_validator", "phonenumbers", "stdnum", "babel"}
"""What checks a command's texts: imported when the first such text comes, and by nothing that sends no commands."""


def imported(*words: str, **settings: str) -> set[str]:
    """All that is imported when a command has ended."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LTC_")}
    environment = {**kept, "PYTHONPATH": str(ROOT / "src"), **settings}
    command = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return set(json.loads(done.stderr.decode().rpartition("\n")[2]))


def ours(modules: set[str]) -> set[str]:
    return {name.removeprefix("ltc_events.") for name in modules if name.startswith("ltc_events.")}


def test_help_imports_nothing_that_does_work() -> None:
    for words in (("--help",), ("-h",)):
        modules = imported(*words)
        assert not modules & (HEAVY | CHECKS)
        assert ours(modules) <= {
            "__main__", "bootstrap", "bootstrap.kafka_fields", "cli", "cli.main", "cli.commands", "cli.database_options",
            "cli.kafka_options", "cli.lazy", "cli.process", "kernel", "kernel.output_escaping",
            "cli.terminal", "store", "store.home",
        }  # fmt: skip
    assert not imported("--version") & (HEAVY - {"pydantic"}), "with which typer reads options"


@pytest.mark.parametrize("words", [("report", "trial-balance"), ("report", "funnel", "--json"), ("report", "list")])
def test_a_report_imports_what_reads_and_nothing_that_writes(company: Database, words: tuple[str, ...]) -> None:
    modules = imported(*words, LTC_DATABASE_URL=company.conninfo)
    assert not modules & ({"kafka", "eventsourcing", "prometheus_client", "rich.progress"} | CHECKS)
    packages = {name.split(".")[0] for name in ours(modules)}
    assert not packages & {"aggregates", "simulation", "importing", "bus", "workers", "explanation", "application"}


@pytest.mark.parametrize(
    ("words", "not_theirs"),
    [
        (("init",), {"kafka", "prometheus_client"}),
        (("events", "tail", "-n", "1"), {"kafka", "prometheus_client"}),
        (("projections", "status"), {"kafka", "prometheus_client"}),
    ],
)
def test_other_commands_import_no_bus(company: Database, words: tuple[str, ...], not_theirs: set[str]) -> None:
    assert not imported(*words, LTC_DATABASE_URL=company.conninfo) & (not_theirs | CHECKS)


def test_the_help_names_each_command_as_it_names_itself() -> None:
    group: Any = typer.main.get_command(app)
    assert list(group.commands) == list(COMMANDS)
    for name, entry in COMMANDS.items():
        assert first_sentence(group.commands[name].help) == entry.help
        assert group.commands[name].name == name
    context = group.make_context("ltc", [], resilient_parsing=True)
    told = " ".join(group.get_help(context).split())
    for name, entry in COMMANDS.items():
        assert f"{name} {entry.help}" in told
    for one in ("LTC_DATABASE_URL", "LTC_HOME", "LTC_KAFKA_BOOTSTRAP", "LTC_LOG_FORMAT", "--version"):
        assert one in told


def test_every_help_is_whole() -> None:
    """Each group names the commands below it with the whole of their first sentence."""

    def look(command: Any, context: Any) -> None:
        told = " ".join(command.get_help(context).split())
        for child_name in getattr(command, "commands", {}):
            child = command.commands[child_name]
            if not child.hidden:
                assert f"{child_name} {first_sentence(child.help)}" in told
            look(child, child.context_class(child, info_name=child_name, parent=context))

    group: Any = typer.main.get_command(app)
    look(group, group.context_class(group, info_name="ltc"))
