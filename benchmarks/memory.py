"""The most memory that each command of the line takes on a store of a million events."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.answers import DEMO_CUSTOMERS
from benchmarks.figure import Figure, not_run, within
from benchmarks.place import DAYS, SEED, Place, say
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.registry import all_reports
from ltc_events.simulation import ENDS_ON, simulate
from ltc_events.store import Database, Role

LIMIT_MB = 300.0
LARGE_CUSTOMERS = 20_000
"""A year of so many customers is a little over a million events; the figures name how many there are."""
SUBMITTED_CUSTOMERS = 1_000
PROJECT = Path(__file__).resolve().parents[1]
HUNGRIEST = "revenue-vs-opportunity"
TABLES = ("timeline", "revenue_bridge", "open_items")
"""The read tables that are proven and rebuilt: the longest, and those whose rows change most."""
MAPPING = """
name = "memory"

[sources.customers]
path = "customers.csv"
"""
REGISTER = """/*
rows = "customers"
command = "customer.register"
*/
SELECT ltc_id('customer', id) AS subject, ltc_date(since, '%Y-%m-%d') AS time, 'memory' AS actor,
  {'name': name, 'email': email, 'country': country} AS profile
FROM customers
"""
_AN_INVOICE = "SELECT number, customer_id FROM ltc_read.invoices ORDER BY number LIMIT 1"
_LONGEST_STREAM = "SELECT stream_id FROM ltc.events ORDER BY version DESC LIMIT 1"
# What a command's name goes without: what every run has in common, and what is of this run alone.
_UNSAID = frozenset({"--as-of", "--as-is", "--customer", "--count", "--customers", "--days", "--seed", "--data", "--refused"})


def measure(place: Place) -> Iterator[Figure]:
    """Each command in a process of its own."""
    if not place.is_large:
        yield not_run("memory on 1,000,000 events", "MB", "takes minutes, ask for it with --large")
        return
    is_quick = place.sizes.is_quick
    many = DEMO_CUSTOMERS // 10 if is_quick else LARGE_CUSTOMERS
    database = place.ledger(many)
    with TemporaryDirectory(prefix="ltc-bench-") as folder:
        few = DEMO_CUSTOMERS // 10 if is_quick else SUBMITTED_CUSTOMERS
        by_name: dict[str, Figure] = {}
        for figure in measure_commands(database, Path(folder), many, few):
            by_name[figure.name] = max(figure, by_name.get(figure.name, figure), key=lambda one: one.ours or 0)
        figures = list(by_name.values())
    worst = max(figures, key=lambda one: one.ours or 0)
    with database.connect(Role.PROJECTOR) as connection:
        ((events,),) = connection.execute("SELECT position FROM ltc.head").fetchall()
    yield within(f"memory on {events:,} events, worst: {worst.name}", "MB", worst.ours or 0, LIMIT_MB)
    yield from figures


def measure_commands(database: Database, folder: Path, many: int, few: int) -> Iterator[Figure]:
    """All commands that look at events or their rows; `few` customers are written anew, to the ledger of `many`."""
    commands, answers, mapping = folder / "commands.jsonl", folder / "answers", folder / "mapping"
    with commands.open("wb") as file:
        for document in simulate(SEED + 1, few, DAYS):
            file.write(document + b"\n")
    (mapping / "steps").mkdir(parents=True)
    (mapping / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    (mapping / "steps" / "register.sql").write_text(REGISTER, encoding="utf-8")
    with (folder / "customers.csv").open("w", encoding="utf-8") as rows:
        rows.write("id,name,email,country,since\n")
        # One in nine is refused: there is no 13th month.
        rows.writelines(
            f"{n},Customer {n},mail{n}@customer.example,DE,2026-{'01' if n % 9 else '13'}-05\n" for n in range(100 * few)
        )
    for command in (
        ["projections", "catch-up"],
        ["submit", str(commands), "--json"],
        ["submit", str(commands), "--quiet"],
        ["import", str(mapping), "--data", str(folder), "--json", "--refused", str(answers)],
        ["simulate", "--seed", str(SEED + 2), "--customers", str(few), "--into-existing"],
        ["simulate", "--customers", str(many), "--output", str(answers)],
        ["projections", "catch-up"],
    ):
        yield _peak(database, folder, command)
    with database.connect(Role.READER) as connection:
        invoice, customer = map(str, connection.execute(_AN_INVOICE).fetchone() or ("", ""))
    with database.connect(Role.OWNER) as connection:
        longest = str((connection.execute(_LONGEST_STREAM).fetchone() or ("",))[0])
    builds = [f"v{one.version}{again}" for one in PROJECTIONS if one.table == TABLES[0] for again in ("", "b1")]
    reports = [_report(one.name, customer) for one in all_reports()]
    for command in (
        *([*report, "--format", form] for report in reports for form in ("table", "json")),
        *([*_report(HUNGRIEST, customer), "--format", form, "--output", str(answers)] for form in ("csv", "parquet")),
        ["explain", "invoice", invoice, "--as-of", str(ENDS_ON)],
        ["explain", "invoice", invoice, "--as-of", str(ENDS_ON), "--json"],
        ["events", "tail", "--count", "100000"],
        ["events", "tail", "--count", "100000", "--json"],
        ["events", "history", longest],
        ["events", "history", longest, "--json"],
        ["dead-letters", "list", "--count", "10000"],
        ["doctor"],
        ["projections", "status"],
        ["projections", "digest"],
        *(["projections", "verify", table] for table in TABLES),
        *(["projections", "rebuild", table, "--anew"] for table in TABLES),
        ["projections", "diff", TABLES[0], *builds, "--json"],
    ):
        yield _peak(database, folder, command)


def _report(name: str, customer: str) -> list[str]:
    return ["report", name, "--as-of", str(ENDS_ON), "--as-is", *(["--customer", customer] if name == "customer" else [])]


def _peak(database: Database, folder: Path, arguments: Sequence[str]) -> Figure:
    name = " ".join(word for word in arguments if word not in _UNSAID and word.islower() and not word.startswith(str(folder)))
    say(f"ltc {name} …")
    report = folder / "peak"
    environment = {**os.environ, "LTC_DATABASE_URL": database.conninfo, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peak", str(report), *arguments],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    # Of simulated commands some are refused, as they should be. Whatever else fails has shown nothing of its memory.
    if done.returncode != (1 if arguments[0] == "submit" else 0) or b"Traceback" in done.stderr:
        raise RuntimeError(f"ltc {name}: {done.stderr.decode()[-500:]}")
    return within(f"memory of ltc {name}", "MB", int(report.read_text(encoding="ascii")) / 1e6, LIMIT_MB, is_detail=True)
