"""The SQL of mappings over small tables, without a ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ltc_events.importing.engine import Engine
from ltc_events.importing.errors import Mistake
from ltc_events.importing.mapping import MappingFile, SourceSection
from ltc_events.importing.queries import Queries

MAPS = {"channel": {"web": "web_form", "": "unknown"}, "any": {"a": "b", "*": "*"}}


class Bench:
    """An engine with tables of texts; `rows` are what a query gives of them, hidden columns and all."""

    def __init__(self, folder: Path, timezone: str = "UTC") -> None:
        sources = {"a": SourceSection(path="a.csv")}
        mapping = MappingFile(name="shop", namespace="shop", timezone=timezone, sources=sources, maps=MAPS)
        self.engine = Engine(folder, mapping)
        self.queries = Queries(self.engine, list(MAPS))
        self.mistakes: list[Mistake] = []
        self._rows = 0

    def table(self, name: str, columns: str, *rows: tuple[str | None, ...]) -> None:
        """A source's table: columns by name, and its rows, numbered through all tables."""
        names = columns.split()
        cells = ", ".join(f"{one} VARCHAR" for one in names)
        self.engine.run(f"CREATE TABLE raw.{name} ({cells}, _file VARCHAR, _line BIGINT, _row BIGINT)")
        for row in rows:
            values = {f"c{place}": cell for place, cell in enumerate(row)}
            marks = ", ".join(f"${one}" for one in values)
            self.engine.run(f"INSERT INTO raw.{name} VALUES ({marks}, '{name}.csv', 0, {self._rows})", values)
            self._rows += 1
        self.queries.know(name, [*names, "_file", "_line", "_row"], None, raw=True)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query: its columns, then `_row`, then (place, column, value, code) of each refusal."""
        query = self.queries.compile(sql, "step.sql", self.mistakes.append)
        assert query is not None, self.mistakes
        found = self.engine.run(query.sql)
        return [(*row[:-1], [(one["row"], one["column"], one["value"], one["code"]) for one in row[-1]]) for row in found]

    def unmatched(self, sql: str) -> list[int]:
        """The places of the rows that the query's inner joins find nothing for."""
        query = self.queries.compile(sql, "step.sql", self.mistakes.append)
        assert query is not None, self.mistakes
        return [] if query.unmatched is None else sorted(row for (row,) in self.engine.run(query.unmatched[0]))

    def mistakes_of(self, sql: str) -> list[Mistake]:
        """What is wrong with a query."""
        self.mistakes.clear()
        self.queries.compile(sql, "step.sql", self.mistakes.append)
        return self.mistakes

    def value(self, expression: str) -> Any:
        """The value of an expression, or the code of its refusal."""
        (row,) = self.rows(f"SELECT {expression} AS found")
        return row[-1][0][3] if row[-1] else row[0]


@contextmanager
def bench(timezone: str = "UTC") -> Iterator[Bench]:
    """An engine of its own."""
    with TemporaryDirectory() as folder:
        made = Bench(Path(folder), timezone)
        try:
            yield made
        finally:
            made.engine.close()
