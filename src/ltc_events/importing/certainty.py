"""Dependencies of a query's columns on tables, and conditions that are certain although a cell in them cannot be read."""

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

from ltc_events.importing.trees import Node, column, columns_of, either, functions, is_null

ROW, REFUSALS = "_row", "_refusals"
HIDDEN = (ROW, REFUSALS)
NOT_IN_STAR = frozenset({ROW, REFUSALS, "_file", "_line"})
"""What `*` does not stand for."""
READERS = frozenset(
    {
        *("ltc_amount", "ltc_integer", "ltc_div", "ltc_time", "ltc_date", "ltc_instant"),
        *("ltc_boolean", "ltc_uuid", "ltc_needed", "ltc_refuse", "ltc_word"),
        *("ltc_email", "ltc_phone"),
    }
)
"""Functions that may refuse a cell; each has a NAME_refusals beside it."""


class Table(NamedTuple):
    """A table: its columns (None: unknown), whether it has refusals, and the columns that `*` leaves out."""

    columns: frozenset[str] | None
    has_refusals: bool
    hidden: frozenset[str] = frozenset(HIDDEN)
    read: frozenset[str] = frozenset()
    """Columns that are worked out of cells which may be refused."""
    masked: frozenset[str] = frozenset()
    """Those of them that have a value even then, such as `coalesce(ltc_amount(…), 0)`: what they say is not certain."""


class Leaf(NamedTuple):
    """One table of a FROM, by its name there."""

    alias: str
    table: Table

    @property
    def row(self) -> Node:
        """Its column `_row`."""
        return column(self.alias, ROW)


class Unsupported(ValueError):
    """A construct through which refusals cannot be followed. `at`: where it stands, in bytes from the beginning."""

    def __init__(self, problem: str, fix: str, at: int = -1) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix
        self.at = at


def renamed(table: Table, names: list[str]) -> Table:
    """The table with renamed columns; which of them are certain is then unknown."""
    every = frozenset(one.lower() for one in names)
    return table._replace(columns=None, read=every, masked=every) if table.read else table._replace(columns=None)


def names_of(expressions: Sequence[Node], leaves: Sequence[Leaf]) -> frozenset[str] | None:
    """The names of a SELECT's columns, if all are known. Raises Unsupported for a repeated name.

    DuckDB compares names without regard to capitals, and takes the first of two: the cell as it came instead of what was read.
    """
    starred: set[str] = set()
    known = True
    for one in expressions:
        if one.get("class") == "STAR":
            table = one["relation_name"].lower()
            left_out = {name.lower() for name in one["exclude_list"]} | {entry["key"].lower() for entry in one["replace_list"]}
            for leaf in leaves:
                if not table or leaf.alias.lower() == table:
                    known = known and leaf.table.columns is not None
                    starred |= (leaf.table.columns or frozenset()) - left_out - leaf.table.hidden
            starred |= {entry["key"].lower() for entry in one["replace_list"]}
    named: set[str] = set()
    for one in expressions:
        name = (one.get("alias") or (one["column_names"][-1] if one.get("class") == "COLUMN_REF" else "")).lower()
        if name and (name in named or name in starred):
            fix = f"call it otherwise, or write * EXCLUDE ({name}): names that differ by capitals alone are the same"
            raise Unsupported(f"column {name} stands twice", fix, one["query_location"])
        if name:
            named.add(name)
    return frozenset(starred | named) if known else None


def certainty(expressions: Sequence[Node], leaves: Sequence[Leaf]) -> tuple[frozenset[str], frozenset[str]]:
    """The columns of a SELECT that depend on cells which may be refused, and those of them that have a value even then."""
    known_read = frozenset().union(*(leaf.table.read for leaf in leaves))
    known_masked = frozenset().union(*(leaf.table.masked for leaf in leaves))
    read: set[str] = set()
    masked: set[str] = set()
    for one in expressions:
        if one.get("class") == "STAR":
            read |= known_read
            masked |= known_masked
            continue
        if known_read.isdisjoint(names[-1].lower() for names in columns_of(one)) and READERS.isdisjoint(functions(one)):
            continue
        name = (one.get("alias") or (one["column_names"][-1] if one.get("class") == "COLUMN_REF" else "")).lower()
        read.add(name)
        if not _is_strict(one, known_masked):
            masked.add(name)
    return frozenset(read), frozenset(masked)


def let_through(condition: Node, refused: Node, masked: frozenset[str]) -> Node:
    """A condition that rows with refusals also pass, unless the readable cells make it certainly false.

    Of conditions that are NULL where a part of them is, false is certain; of others, nothing is.
    """
    if condition.get("type") == "CONJUNCTION_AND":
        return {**condition, "children": [let_through(one, refused, masked) for one in condition["children"]]}
    if not _is_strict(condition, masked):
        return either(condition, refused)
    unknown = {**either(is_null(deepcopy(condition)), refused), "type": "CONJUNCTION_AND"}
    return either(condition, unknown)


def _is_strict(node: Node, masked: frozenset[str]) -> bool:
    """Whether an expression is NULL, or NULL alone decides nothing in it, where a part of it cannot be read."""

    def all_of(nodes: Sequence[Node]) -> bool:
        return all(_is_strict(one, masked) for one in nodes)

    match node.get("class"):
        case "COLUMN_REF":
            return not masked.intersection(one.lower() for one in node["column_names"])
        case "CONSTANT":
            return True
        case "COMPARISON":
            return "DISTINCT" not in node["type"] and all_of([node["left"], node["right"]])
        case "BETWEEN":
            return all_of([node[part] for part in ("input", "lower", "upper")])
        case "CONJUNCTION":
            return all_of(node["children"])
        case "OPERATOR":
            kinds = ("OPERATOR_NOT", "COMPARE_IN", "COMPARE_NOT_IN", "ARRAY_EXTRACT", "STRUCT_EXTRACT")
            return node["type"] in kinds and all_of(node["children"])
        case "CAST":
            return _is_strict(node["child"], masked)
        case "FUNCTION":
            name = node["function_name"].lower()
            return (node["is_operator"] or name in _STRICT or name in READERS) and all_of(node["children"])
    return False


_STRICT = frozenset(
    {
        *("abs", "round", "ltc_round", "ltc_id", "lower", "upper", "trim", "ltrim", "rtrim", "left", "right", "substr"),
        *("substring", "starts_with", "prefix", "suffix", "ends_with", "contains", "length", "len", "replace", "year", "month"),
        *("day", "date_trunc", "regexp_matches", "regexp_full_match"),
    }
)
