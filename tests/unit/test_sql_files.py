"""SQL stands in files beside its reader: every statement that is asked for is there, every one that is there is asked for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ltc_events
from ltc_events.store.sql_files import Statements

ROOT = Path(ltc_events.__file__).parent
IN_FILES = ("projections", "diagnosis", "reports", "scheduling", "store")
STATEMENT = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|TRUNCATE|LOCK TABLE)\s.*\b(FROM|INTO|SET|VALUES|TABLE)\b", re.DOTALL
)
ASSEMBLED = {"projections/writing/table_writer.py": {"UPDATE SET {}"}}
"""What is part of a statement that is assembled from a declaration."""


def readers() -> Iterator[tuple[Path, Statements, set[str]]]:
    """Each module that has a file of statements, with the names that it asks for."""
    for path in sorted(ROOT.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found = re.search(r"Statements\(__name__(?:, \"(\w+)\")?\)", text)
        if found:
            module = ".".join(("ltc_events", *path.relative_to(ROOT).with_suffix("").parts))
            asked = re.findall(r"(?:_SQL|Statements\(__name__\))(?:\[|\.text\(|\.compose\(\s*)\"(\w+)\"", text)
            yield path, Statements(module, found[1] or "sql"), set(asked)


def test_readers_ask_for_the_statements_that_their_files_hold() -> None:
    seen = 0
    for path, statements, asked in readers():
        if path.name == "queries.py":
            continue  # `query(name)` is asked by other modules of the store
        held = set(statements._texts)
        known = held if path.name == "changes.py" else asked  # one of two by a condition
        assert held == known, path
        assert asked <= held, path
        seen += 1
    assert seen > 10


def test_the_queries_of_the_store_are_all_asked_for() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "store").glob("*.py"))
    asked = set(re.findall(r"(?<!\w)query\(\s*\"(\w+)\"", texts))
    assert asked <= set(Statements("ltc_events.store.queries")._texts)
    unknown = {name for name in Statements("ltc_events.store.queries")._texts if f'"{name}"' not in texts}
    assert unknown == set()


def test_no_statement_stands_in_python() -> None:
    found = {}
    for package in IN_FILES:
        for path in sorted((ROOT / package).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            tree = ast.parse(path.read_text(encoding="utf-8"))
            told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in told]
            strings = [
                one.value.decode("latin-1") if isinstance(one.value, bytes) else one.value
                for one in texts
                if isinstance(one.value, str | bytes)
            ]
            statements = {text for text in strings if STATEMENT.match(text)} - ASSEMBLED.get(place, set())
            if statements:
                found[place] = statements
    assert found == {}


def test_comments_are_not_sent() -> None:
    statement = Statements("ltc_events.store.queries").text("take_positions")
    assert statement.startswith("SELECT base")
