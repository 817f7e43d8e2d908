"""Compares two read tables row by row: rows in only one of them, and columns with different values."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from psycopg import sql

from ltc_events.projections.catalog.installed_tables import Table
from ltc_events.projections.declaration.errors import KeysDiffer
from ltc_events.projections.declaration.names import Connection, relation
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)

SHOWN_MAX = 100


class Difference(NamedTuple):
    """A row that differs. `columns`: the left and the right value, by column.

    A row in only one table has all its columns, with None for the other table.
    """

    key: dict[str, Any]
    only_in: str
    """`left`, `right`, or empty: it is in both."""
    columns: dict[str, tuple[Any, Any]]


class Comparison(NamedTuple):
    """The result of comparing two tables."""

    rows: tuple[int, int]
    """Rows of the left table and of the right."""
    only_left: int
    only_right: int
    changed: int
    """Rows of both in which a shared column differs."""
    by_column: dict[str, int]
    """In how many rows of both each shared column differs; those in which none does are absent."""
    dropped: tuple[str, ...]
    """Columns (or other types of columns) of the left table alone."""
    added: tuple[str, ...]
    """Columns of the right table alone."""
    differences: list[Difference]
    """The first ones, in the order of the key."""

    @property
    def equal(self) -> bool:
        """Whether no row differs. Columns that only one table has are not compared."""
        return not (self.only_left or self.only_right or self.changed)

    def document(self) -> dict[str, Any]:
        """The counts of equal and differing rows as JSON-ready values."""
        return {
            "changed": self.changed,
            "only_left": self.only_left,
            "only_right": self.only_right,
            "by_column": self.by_column,
        }


def compare(connection: Connection, left: Table, right: Table, *, limit: int = SHOWN_MAX) -> Comparison:
    """Compare shared columns by value (1.50 equals 1.5), within the snapshot of the connection's transaction.

    Raises KeysDiffer when the rows of the two stand for different things.
    """
    if left.key != right.key:
        raise KeysDiffer(left=left.name, left_key=", ".join(left.key), right=right.name, right_key=", ".join(right.key))
    shared = [name for name, kind in left.columns.items() if right.columns.get(name) == kind and name not in left.key]
    both = _both(left, right)
    first = left.key[0]
    counts = _SQL.compose(
        "counts",
        left=sql.Identifier("l", first),
        right=sql.Identifier("r", first),
        differing=sql.SQL(", ").join(_differing(first, names) for names in [shared, *([name] for name in shared)]),
        both=both,
    )
    row = connection.execute(counts).fetchone() or ()
    in_left, in_right, only_left, only_right, changed, *by_column = row
    total = only_left + only_right + changed
    return Comparison(
        (in_left, in_right),
        only_left,
        only_right,
        changed,
        {name: count for name, count in zip(shared, by_column, strict=True) if count},
        tuple(name for name, kind in left.columns.items() if right.columns.get(name) != kind),
        tuple(name for name, kind in right.columns.items() if left.columns.get(name) != kind),
        _differences(connection, both, left.key, shared, limit) if total and limit else [],
    )


def _differences(
    connection: Connection, both: sql.Composed, key: tuple[str, ...], shared: list[str], limit: int
) -> list[Difference]:
    keys = [sql.SQL("coalesce({}, {})").format(sql.Identifier("l", name), sql.Identifier("r", name)) for name in key]
    sides = [sql.SQL("{} IS NULL").format(sql.Identifier(side, key[0])) for side in "lr"]
    values = [sql.Identifier(side, name) for side in "lr" for name in shared]
    query = _SQL.compose(
        "differences",
        values=sql.SQL(", ").join([*keys, *sides, *values]),
        both=both,
        left=sql.Identifier("l", key[0]),
        right=sql.Identifier("r", key[0]),
        differs=_differs(shared),
        order=sql.SQL(", ").join(map(sql.Literal, range(1, len(key) + 1))),
        limit=limit,
    )
    found = []
    width, shared_count = len(key), len(shared)
    for row in connection.execute(query):
        not_left, not_right = row[width : width + 2]
        lefts = row[width + 2 : width + 2 + shared_count]
        rights = row[width + 2 + shared_count :]
        whole = not_left or not_right
        columns = {name: (a, b) for name, a, b in zip(shared, lefts, rights, strict=True) if whole or a != b}
        only_in = "right" if not_left else "left" if not_right else ""
        found.append(Difference(dict(zip(key, row[:width], strict=True)), only_in, columns))
    return found


def _both(left: Table, right: Table) -> sql.Composed:
    same = [sql.SQL("{} = {}").format(sql.Identifier("l", name), sql.Identifier("r", name)) for name in left.key]
    tables = {"left": relation(left.name, left.schema), "right": relation(right.name, right.schema)}
    return _SQL.compose("both", **tables, same=sql.SQL(" AND ").join(same))


def _differing(first: str, columns: Iterable[str]) -> sql.Composed:
    """The number of rows that are on both sides and differ in these columns."""
    sides = {"left": sql.Identifier("l", first), "right": sql.Identifier("r", first)}
    return _SQL.compose("differing", **sides, differs=_differs(columns))


def _differs(columns: Iterable[str]) -> sql.Composed:
    terms = [sql.SQL("{} IS DISTINCT FROM {}").format(sql.Identifier("l", name), sql.Identifier("r", name)) for name in columns]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(terms) if terms else sql.SQL("false"))
