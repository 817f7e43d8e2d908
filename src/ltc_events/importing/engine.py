"""DuckDB in a sandbox: a mapping's SQL can access no file, network, extension or setting."""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
from duckdb.sqltypes import DuckDBPyType
from email_validator import SPECIAL_USE_DOMAIN_NAMES

from ltc_events.importing.errors import Mistake
from ltc_events.importing.mapping import MappingFile
from ltc_events.importing.trees import Node
from ltc_events.kernel.ids import NAMESPACE
from ltc_events.schemas.base import PHONE_PATTERN

MEMORY_LIMIT_MB = 160
TIME_LIMIT_S = 1800
"""How long one query of a mapping may take."""


class QueryFailed(Exception):
    """A query that DuckDB refuses or aborts. `line` and `column` count from 1, and are 0 where DuckDB gives none."""

    def __init__(self, problem: str, fix: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix
        self.line = line
        self.column = column

    def mistake(self, file: str) -> Mistake:
        """The error as a Mistake of a file."""
        return Mistake(file, self.line, self.column, self.problem, self.fix)


class Engine:
    """A database in a temporary folder, removed on close. Only `readable` files can be loaded."""

    def __init__(self, folder: Path, mapping: MappingFile, readable: Sequence[Path] = ()) -> None:
        self.spool = folder / "spool"
        self.spool.mkdir()
        self._connection = duckdb.connect(
            str(folder / "import.duckdb"),
            config={
                "memory_limit": f"{MEMORY_LIMIT_MB}MB",
                "threads": "1",
                "temp_directory": str(folder / "spill"),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
                "python_enable_replacements": "false",
            },
        )
        self._connection.execute("SET enable_progress_bar = false")
        # What is written into the file of tables before it must be is read and written once more, and nobody needs it again.
        self._connection.execute("SET checkpoint_threshold = '128MB'")
        self._connection.execute("SET TimeZone = $zone", {"zone": mapping.timezone})
        self._connection.execute("CREATE SCHEMA raw")
        self._connection.execute("SET search_path = 'main,raw'")
        self._connection.execute(f"SET allowed_directories = [{literal(str(self.spool))}]")
        # Beside a database of its own kind it looks for what that has not written into it yet.
        paths = ", ".join(literal(name) for one in readable for name in (str(one), f"{one}.wal"))
        self._connection.execute(f"SET allowed_paths = [{paths}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self._connection.execute(_functions(mapping))
        self.aggregates = self._names("function_type = 'aggregate'")
        self.inexact = self._names(
            "function_type IN ('scalar', 'aggregate') AND return_type IN ('DOUBLE', 'FLOAT') AND function_name NOT IN "
            "(SELECT function_name FROM duckdb_functions() WHERE return_type NOT IN ('DOUBLE', 'FLOAT'))"
        )

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def run(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a statement. Raises QueryFailed."""
        with self._limited():
            return self._connection.execute(sql, parameters or {}).fetchall()

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement, a few thousand in memory at a time, on a cursor of their own."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql, parameters or {})
            while page := cursor.fetchmany(5_000):
                yield from page
        except duckdb.Error as error:
            raise _failure(error) from error
        finally:
            cursor.close()

    def tree(self, sql: str) -> Node:
        """The syntax tree of one SELECT. Raises QueryFailed."""
        answer = json.loads(self.run("SELECT json_serialize_sql($sql::VARCHAR)", {"sql": sql})[0][0])
        if answer["error"]:
            line, column = place(sql, int(answer.get("position") or -1))
            message = str(answer["error_message"])
            if answer["error_type"] == "not implemented":
                raise QueryFailed("is not a SELECT", "write one SELECT; files and databases are sources of mapping.toml")
            raise QueryFailed(message, "correct the SQL", line, column)
        statements = answer["statements"]
        if len(statements) != 1:
            raise QueryFailed(f"has {len(statements)} statements", "write one SELECT")
        node: Node = statements[0]["node"]
        return node

    def text(self, tree: Node) -> str:
        """A syntax tree as SQL."""
        document = json.dumps({"error": False, "statements": [{"node": tree, "named_param_map": []}]})
        return str(self.run("SELECT json_deserialize_sql($tree::JSON)", {"tree": document})[0][0])

    def describe(self, sql: str) -> dict[str, str]:
        """Names and types of a query's columns. Raises QueryFailed."""
        try:
            return {name: type for name, type, *_ in self.run(f"DESCRIBE\n{sql}")}
        except QueryFailed as error:
            error.line = max(0, error.line - 1)
            raise

    def type(self, text: str) -> DuckDBPyType:
        """A type by its name."""
        return self._connection.type(text)

    def _names(self, condition: str) -> frozenset[str]:
        sql = f"SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE {condition}"
        return frozenset(name for (name,) in self.run(sql))

    @contextmanager
    def _limited(self) -> Iterator[None]:
        timer = threading.Timer(TIME_LIMIT_S, self._connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        except duckdb.InterruptException as error:
            raise QueryFailed(
                f"takes more than {TIME_LIMIT_S} seconds", "join by keys, and make tables of what is used often"
            ) from error
        except duckdb.Error as error:
            raise _failure(error) from error
        finally:
            timer.cancel()


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of an offset in bytes; zeros where there is none."""
    if not 0 <= offset < 2**32:
        return 0, 0
    before = text.encode()[:offset].decode(errors="replace")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


_POINTER = re.compile(r"\n\nLINE (\d+): (.*)\n( *)\^", re.DOTALL)
_CASTS = re.compile(r"Could not convert string|Conversion Error|invalid .* field format|Could not parse")


def _failure(error: duckdb.Error) -> QueryFailed:
    text = str(error)
    found = _POINTER.search(text)
    line, column = 0, 0
    if found:
        line = int(found[1])
        column = max(1, len(found[3]) - len(f"LINE {found[1]}: ") + 1)
        text = text[: found.start()]
    message, *hints = [part for part in text.split("\n") if part.strip()]
    message = re.sub(r"^(Binder|Catalog|Parser|Conversion|Invalid Input|Out of Range) Error: ", "", message)
    fix = " ".join(hints)
    if isinstance(error, duckdb.ConversionException) or _CASTS.search(text):
        fix = "read cells with ltc_amount, ltc_integer, ltc_date or ltc_time, which refuse the row instead of the whole import"
    elif isinstance(error, duckdb.OutOfRangeException):
        fix = "round with ltc_round before multiplying again: exact numbers have 38 digits"
    elif isinstance(error, duckdb.OutOfMemoryException):
        fix = "join by keys; a join without any makes rows of all pairs"
    return QueryFailed(message, fix or "correct the SQL", line, column)


def _functions(mapping: MappingFile) -> str:
    """The macros, with this mapping's namespace and words."""
    text = resources.files("ltc_events.importing").joinpath("functions.sql").read_text(encoding="utf-8")
    words = "NULL"
    if mapping.maps:
        tables = " ".join(f"WHEN {literal(name)} THEN {_words(table)}" for name, table in mapping.maps.items())
        words = f"CASE map {tables} END"
    reserved = rf"[.@](?:{'|'.join(map(re.escape, sorted(SPECIAL_USE_DOMAIN_NAMES)))})$"
    patterns = {"email": _EMAIL.replace("'", "''"), "reserved": reserved, "phone": PHONE_PATTERN}
    for name, value in {
        "id_namespace": NAMESPACE.hex,
        "namespace": mapping.namespace,
        "zone": mapping.timezone,
        **patterns,
    }.items():
        text = text.replace(f"{{{name}}}", value)
    return text + (
        f"CREATE MACRO ltc_word(map, cell) AS {words};\n"
        "CREATE MACRO ltc_word_refusals(origin, place, map, cell) AS CASE WHEN cell IS NOT NULL AND ltc_word(map, cell) IS NULL"
        " THEN ltc_refusal(origin, place, cell, 'unmapped_value', map) END;\n"
    )


_ATOM = r"[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = rf"^{_ATOM}(?:\.{_ATOM})*@(?:[\p{{L}}\p{{N}}](?:[\p{{L}}\p{{N}}-]{{0,61}}[\p{{L}}\p{{N}}])?\.)+[\p{{L}}-]{{2,63}}$"


def _words(table: dict[str, str]) -> str:
    nothing = literal(table[""]) if "" in table else "NULL"
    checks = "".join(
        f" WHEN cell = {literal(word)} THEN {literal(means)}" for word, means in table.items() if word not in ("", "*")
    )
    other = table.get("*")
    rest = "NULL" if other is None else "cell" if other == "*" else literal(other)
    return f"(CASE WHEN cell IS NULL THEN {nothing}{checks} ELSE {rest} END)"


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
