"""Rows that an inner join leaves out because nothing matches them: nobody said that they were to be left out."""

from copy import deepcopy

from ltc_events.importing.certainty import ROW
from ltc_events.importing.trees import Node, column, either, is_null


def unmatched(followed: Node) -> tuple[Node, str] | None:
    """A query (with its hidden columns) asked for the rows of its first table that its inner joins find nothing for, and what was
    looked for there; None of one without such a join. Conditions leave rows out of the answer where they say so for certain.
    """
    if followed["type"] != "SELECT_NODE":
        return None
    asked = deepcopy(followed)
    others: list[str] = []
    first = _open(asked["from_table"], others)
    if first is None or not others:
        return None
    missing = _any([is_null(column(one, ROW)) for one in others])
    where = asked.get("where_clause")
    if where is not None:
        kept = either(where, is_null(deepcopy(where)))
        missing = {**either(kept, missing), "type": "CONJUNCTION_AND"}
    nothing: Node = {"group_expressions": [], "group_sets": [], "having": None, "qualify": None, "modifiers": []}
    asked |= {**nothing, "where_clause": missing, "select_list": [column(first, ROW)], "aggregate_handling": "STANDARD_HANDLING"}
    return asked, ", ".join(others)


def _open(node: Node, others: list[str]) -> str | None:
    """Make the inner joins of a FROM outer ones, in place; the name of its first table. `others`: those that were to match."""
    match node["type"]:
        case "BASE_TABLE":
            return str(node["alias"] or node["table_name"])
        case "SUBQUERY":
            return str(node["alias"])
        case "JOIN":
            first = _open(node["left"], others)
            if node["join_type"] == "INNER" and node["ref_type"] == "REGULAR":
                node["join_type"] = "LEFT"
                right = _open(node["right"], [])
                others += [right] if right is not None else []
            return first
    return None


def _any(conditions: list[Node]) -> Node:
    found = conditions[0]
    for one in conditions[1:]:
        found = either(found, one)
    return found
