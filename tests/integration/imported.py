"""Databases with an import of other people's data in them, read tables and all: made once for the tests that read them."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from tests.unit.shared_data import SHARED_DATA

from ltc_events.application.clock import SystemClock
from ltc_events.importing import Reconciliation, run_import
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.runner import run
from ltc_events.store import Database, EventStore, Role

EXAMPLES = Path(__file__).parents[2] / "examples"
LATER = "2030-01-01"


class Imported:
    """A database with what the example mappings `names` import. `results` has the reconciliation of each."""

    def __init__(self, database: Database, *names: str) -> None:
        self.database = database
        self.store = EventStore(database, Role.WRITER)
        self.results = {name: self.again(name) for name in names}
        with open_runner(database, PROJECTIONS) as runner:
            runner.catch_up()

    def again(self, name: str, **options: Any) -> Reconciliation:
        """Import once more."""
        return run_import(EXAMPLES / name, SHARED_DATA / name, self.store, SystemClock(), **options)

    def report(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """A report's rows by column name, as of when everything has happened."""
        result = run(self.database, name, as_of=LATER, parameters={key.rstrip("_"): value for key, value in parameters.items()})
        return [dict(zip((column.name for column in result.columns), row, strict=True)) for row in result.rows]

    def totals(self, name: str, **parameters: Any) -> dict[str, Any]:
        """A report's totals."""
        return dict(run(self.database, name, as_of=LATER, parameters=parameters).totals)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What an analyst's query of the read tables finds."""
        with self.database.connect(Role.READER) as connection:
            connection.execute("SET search_path TO ltc_read")
            return connection.execute(psycopg.sql.SQL(query)).fetchall()  # type: ignore[arg-type]


@contextmanager
def imported(server: Any, *names: str) -> Iterator[Imported]:
    """A database of its own with these imports, removed afterwards."""
    name = server.create()
    company = Imported(server.at(name), *names)
    try:
        yield company
    finally:
        company.store.close()
        server.drop(name)


def source(folder: str, file: str) -> list[dict[str, str]]:
    """A file as it is, read without any code of ours."""
    with (SHARED_DATA / folder / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def money(text: str) -> Decimal:
    """An amount of the CRM: `$1,234.50`."""
    return Decimal(text.replace("$", "").replace(",", ""))
