"""DuckDB's SQL syntax trees: traversal and construction of nodes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Node = dict[str, Any]


def functions(node: Any) -> Iterator[str]:
    """The names of all functions in a tree."""
    if isinstance(node, list):
        for one in node:
            yield from functions(one)
    elif isinstance(node, dict):
        if node.get("class") in ("FUNCTION", "WINDOW"):
            yield node["function_name"].lower()
        for one in node.values():
            yield from functions(one)


def walk(node: Any, visit: Callable[[Node], None]) -> None:
    """Show every node of a tree to `visit`."""
    if isinstance(node, list):
        for one in node:
            walk(one, visit)
    elif isinstance(node, dict):
        visit(node)
        for one in node.values():
            walk(one, visit)


def columns_of(node: Any) -> list[list[str]]:
    """The columns that an expression names, each with what it is qualified by."""
    found: list[list[str]] = []
    walk(node, lambda one: found.append(one["column_names"]) if one.get("class") == "COLUMN_REF" else None)
    return found


_NOWHERE = 2**64 - 1
WINDOW: Node = {
    "class": "WINDOW",
    "type": "WINDOW_AGGREGATE",
    "alias": "",
    "query_location": _NOWHERE,
    "function_name": "list",
    "schema": "",
    "catalog": "",
    "orders": [],
    "start": "UNBOUNDED_PRECEDING",
    "end": "UNBOUNDED_FOLLOWING",
    "start_expr": None,
    "end_expr": None,
    "offset_expr": None,
    "default_expr": None,
    "ignore_nulls": False,
    "exclude_clause": "NO_OTHER",
    "distinct": False,
    "arg_orders": [],
}
"""A list over all rows of a window."""


def call(name: str, *arguments: Node, filter: Node | None = None) -> Node:
    """A call of a function."""
    return {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "alias": "",
        "query_location": _NOWHERE,
        "function_name": name,
        "schema": "",
        "children": list(arguments),
        "filter": filter,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "distinct": False,
        "is_operator": False,
        "export_state": False,
        "catalog": "",
    }


def column(table: str, name: str) -> Node:
    """A column of a table."""
    return {"class": "COLUMN_REF", "type": "COLUMN_REF", "alias": "", "query_location": _NOWHERE, "column_names": [table, name]}


def constant(text: str) -> Node:
    """A fixed text."""
    value = {"type": {"id": "VARCHAR", "type_info": None}, "is_null": False, "value": text}
    return {"class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": "", "query_location": _NOWHERE, "value": value}


def constant_null(type: str) -> Node:
    """NULL of a type."""
    value = {"type": {"id": type, "type_info": None}, "is_null": True}
    return {"class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": "", "query_location": _NOWHERE, "value": value}


def combined(lists: Sequence[Node]) -> Node | None:
    """Several lists as one."""
    if not lists:
        return None
    whole = lists[0]
    for one in lists[1:]:
        whole = call("list_concat", whole, one)
    return whole


def gathered(refusals: Node) -> Node:
    """The lists of all rows of a group as one."""
    return call("flatten", call("list", refusals, filter=call("ltc_has", refusals)))


def either(one: Node, other: Node) -> Node:
    """One condition or the other."""
    return {
        "class": "CONJUNCTION",
        "type": "CONJUNCTION_OR",
        "alias": "",
        "query_location": _NOWHERE,
        "children": [one, other],
    }


def is_null(value: Node) -> Node:
    """Whether a value is not there."""
    return {
        "class": "OPERATOR",
        "type": "OPERATOR_IS_NULL",
        "alias": "",
        "query_location": _NOWHERE,
        "children": [value],
    }


def case(condition: Node, value: Node) -> Node:
    """A value where a condition holds."""
    return {
        "class": "CASE",
        "type": "CASE_EXPR",
        "alias": "",
        "query_location": _NOWHERE,
        "case_checks": [{"when_expr": condition, "then_expr": value}],
        "else_expr": call("ltc_none"),
    }
