"""Row lineage: adds two columns to a query, the row that a result comes from and the refused cells behind it.

DuckDB's parser gives a query as a tree, and takes a tree back. Here `_row` (the place of the first table's row among all rows of
the import) and `_refusals` (cells that could not be read, of every row that had a part) are added to each SELECT of the tree:
through joins, groups, windows, subqueries and unions. A row with refusals is not left out by a condition on what could not be
read either: it comes out, and is refused.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from ltc_events.importing.certainty import (
    HIDDEN,
    READERS,
    REFUSALS,
    ROW,
    Leaf,
    Table,
    Unsupported,
    certainty,
    let_through,
    names_of,
    renamed,
)
from ltc_events.importing.trees import (
    WINDOW,
    Node,
    call,
    case,
    column,
    columns_of,
    combined,
    constant,
    constant_null,
    functions,
    gathered,
    is_null,
)

_RANKS = frozenset({"row_number", "rank", "dense_rank", "rank_dense", "percent_rank", "cume_dist", "ntile"})


class Lineage:
    """Adds the hidden columns to queries over these tables; `aggregates` are the names of DuckDB's aggregate functions."""

    def __init__(self, tables: dict[str, Table], aggregates: frozenset[str]) -> None:
        self._tables = tables
        self._aggregates = aggregates

    def follow(self, node: Node) -> tuple[Node, Table]:
        """The query with the hidden columns as its last two, and what is known of it as a table. Raises Unsupported."""
        node = deepcopy(node)
        return node, self._query(node, self._tables)

    def _query(self, node: Node, known: dict[str, Table]) -> Table:
        """Add the columns to a query, in place; what is known of it. Where it has no refusals the column is there, and empty."""
        known = self._with_ctes(node, known)
        match node["type"]:
            case "SELECT_NODE":
                return self._select(node, known)
            case "SET_OPERATION_NODE":
                if node["setop_type"] not in ("UNION", "UNION_BY_NAME") or not node.get("setop_all"):
                    raise Unsupported(
                        f"{node['setop_type']} compares rows, which no longer says where each comes from",
                        "write UNION ALL, and SELECT DISTINCT around it; or an ANTI JOIN for what is to be left out",
                    )
                sides = node.get("children") or [node["left"], node["right"]]
                found = [self._query(side, known) for side in sides]
                read = frozenset().union(*(one.read for one in found))
                masked = frozenset().union(*(one.masked for one in found))
                return Table(None, any(one.has_refusals for one in found), read=read, masked=masked)
            case other:
                raise Unsupported(f"{other.removesuffix('_NODE')} is not supported here", "write it without recursion")

    def _with_ctes(self, node: Node, known: dict[str, Table]) -> dict[str, Table]:
        for entry in node.get("cte_map", {}).get("map", []):
            table = self._query(entry["value"]["query"]["node"], known)
            aliases = entry["value"].get("aliases")
            if aliases:
                aliases.extend(HIDDEN)
                table = renamed(table, aliases[: -len(HIDDEN)])
            known = {**known, entry["key"].lower(): table}
        return known

    def _select(self, node: Node, known: dict[str, Table]) -> Table:
        leaves, conditions = self._from(node["from_table"], known)
        refused = self._refused(node, leaves, conditions, known)
        grouped = self._is_grouped(node)
        distinct = [one for one in node["modifiers"] if one["type"] == "DISTINCT_MODIFIER" and not one["distinct_on_targets"]]
        if distinct and not grouped:  # the hidden columns would tell rows apart that are the same
            node["modifiers"] = [one for one in node["modifiers"] if one is not distinct[0]]
            node["aggregate_handling"] = "FORCE_AGGREGATES"
            grouped = True
        columns = names_of(node["select_list"], leaves)
        _exclude_hidden(node["select_list"], leaves)
        first = leaves[0].row if leaves else None
        row = constant_null("BIGINT")
        if first is not None:
            row = call("min", first) if grouped else first
        refusals = call("ltc_none") if refused is None else call("ltc_or_none", gathered(refused) if grouped else refused)
        node["select_list"] += [{**row, "alias": ROW}, {**refusals, "alias": REFUSALS}]
        read, masked = certainty(node["select_list"][: -len(HIDDEN)], leaves)
        return Table(columns, refused is not None, read=read, masked=masked)

    def _refused(self, node: Node, leaves: Sequence[Leaf], conditions: Sequence[Node], known: dict[str, Table]) -> Node | None:
        """The refusals of one row before grouping; conditions let rows with refusals pass."""
        brought = [column(leaf.alias, REFUSALS) for leaf in leaves if leaf.table.has_refusals]
        scope = Scope(leaves, brought)
        at_joins = [one for condition in conditions for one in self._of(condition, scope, known)]
        for key in ("where_clause", "having", "qualify"):
            if node.get(key) is not None:
                of_condition = self._of(node[key], scope, known)
                all_of_them = combined([*brought, *at_joins, *of_condition])
                if all_of_them is not None:
                    if key == "having":
                        all_of_them = gathered(all_of_them)
                    masked = frozenset().union(*(leaf.table.masked for leaf in leaves))
                    node[key] = let_through(node[key], call("ltc_has", all_of_them), masked)
                at_joins = [*at_joins, *of_condition]
        own = [
            one
            for part in (*node["select_list"], *node.get("group_expressions", []), *_ordered_by(node))
            for one in self._of(part, scope, known)
        ]
        return combined([*brought, *at_joins, *own])

    def _from(self, node: Node, known: dict[str, Table]) -> tuple[list[Leaf], list[Node]]:
        """The tables of a FROM from left to right, and the conditions that join them."""
        match node["type"]:
            case "BASE_TABLE":
                name = node["table_name"].lower()
                schema = node.get("schema_name", "").lower()
                if node.get("column_name_alias"):
                    raise Unsupported("columns are renamed at a table", "rename them in a SELECT", node["query_location"])
                return [Leaf(node["alias"] or node["table_name"], known[f"{schema}.{name}" if schema else name])], []
            case "JOIN":
                left, conditions = self._from(node["left"], known)
                right, more = self._from(node["right"], known)
                own = [] if node.get("condition") is None else [node["condition"]]
                if node["join_type"] in ("SEMI", "ANTI"):
                    right = []
                if node["ref_type"] == "NATURAL":
                    raise Unsupported(
                        "NATURAL joins compare all columns", "say by which: JOIN … USING (…)", node["query_location"]
                    )
                return [*left, *right], [*conditions, *more, *own]
            case "SUBQUERY":
                table = self._query(node["subquery"]["node"], known)
                node["alias"] = node["alias"] or "unnamed_subquery"
                if node.get("column_name_alias"):
                    table = renamed(table, list(node["column_name_alias"]))
                    node["column_name_alias"].extend(HIDDEN)
                return [Leaf(node["alias"], table)], []
            case "EMPTY" | "TABLE_FUNCTION" | "EXPRESSION_LIST" | "COLUMN_DATA":
                return [], []
            case other:
                raise Unsupported(f"{other} is not supported here", "write it with GROUP BY and FILTER")

    def _is_grouped(self, node: Node) -> bool:
        if node.get("group_expressions") or node["aggregate_handling"] == "FORCE_AGGREGATES" or node.get("having"):
            return True
        return any(self._has_aggregate(one) for one in node["select_list"])

    def _has_aggregate(self, node: Any) -> bool:
        if isinstance(node, list):
            return any(self._has_aggregate(one) for one in node)
        if not isinstance(node, dict) or node.get("class") == "SUBQUERY":
            return False
        if node.get("class") == "FUNCTION" and node["function_name"].lower() in self._aggregates:
            return True
        return any(self._has_aggregate(one) for one in node.values())

    def _of(self, node: Any, scope: "Scope", known: dict[str, Table]) -> list[Node]:
        """The refusals that the value of an expression rests on, as expressions: lists, or NULL."""
        if isinstance(node, list):
            return [one for part in node for one in self._of(part, scope, known)]
        if not isinstance(node, dict):
            return []
        match node.get("class"):
            case "CASE":
                return self._of_case(node, scope, known)
            case "OPERATOR" if node["type"] == "OPERATOR_COALESCE":
                return self._of_coalesce(node, scope, known)
            case "SUBQUERY":
                return [*self._of(node.get("child"), scope, known), *self._of_subquery(node, known)]
            case "WINDOW":
                return self._of_window(node, scope, known)
            case "LAMBDA":
                if any(name in READERS for name in functions(node)):
                    raise Unsupported(
                        "a cell is read within a lambda", "unnest the list, and read the rows", node["query_location"]
                    )
                return []
        found = [one for value in node.values() for one in self._of(value, scope, known)]
        if node.get("class") == "FUNCTION" and node["function_name"].lower() in READERS:
            found.append(_refusals_of_call(node, scope))
        return found

    def _of_case(self, node: Node, scope: "Scope", known: dict[str, Table]) -> list[Node]:
        """Of the branch that is taken alone."""
        conditions = [one for check in node["case_checks"] for one in self._of(check["when_expr"], scope, known)]
        branches = [combined(self._of(check["then_expr"], scope, known)) for check in node["case_checks"]]
        last = combined(self._of(node["else_expr"], scope, known))
        if last is None and not any(branches):
            return conditions
        nothing = call("ltc_none")
        checks = [
            {"when_expr": deepcopy(check["when_expr"]), "then_expr": branch or nothing}
            for check, branch in zip(node["case_checks"], branches, strict=True)
        ]
        return [*conditions, {**node, "alias": "", "case_checks": checks, "else_expr": last or nothing}]

    def _of_coalesce(self, node: Node, scope: "Scope", known: dict[str, Table]) -> list[Node]:
        """Of the values up to the first that is there."""
        found: list[Node] = []
        for place, child in enumerate(node["children"]):
            own = combined(self._of(child, scope, known))
            if own is None:
                continue
            if place:
                before = [deepcopy(one) for one in node["children"][:place]]
                own = case(is_null({**node, "alias": "", "children": before} if place > 1 else before[0]), own)
            found.append(own)
        return found

    def _of_subquery(self, node: Node, known: dict[str, Table]) -> list[Node]:
        """The same subquery once more, asked for the refusals of all its rows."""
        inner = node["subquery"]["node"]
        if inner["type"] != "SELECT_NODE":
            raise Unsupported("a union stands within an expression", "name it with WITH, and select from it")
        scoped = self._with_ctes(inner, known)
        asked = deepcopy(inner)
        leaves, conditions = self._from(inner["from_table"], scoped)
        asked["from_table"] = deepcopy(inner["from_table"])
        refused = self._refused(inner, leaves, conditions, scoped)
        _exclude_hidden(inner["select_list"], leaves)
        if refused is None:
            return []
        asked.update(where_clause=deepcopy(inner["where_clause"]), select_list=[gathered(refused)], modifiers=[])
        asked.update(group_expressions=[], group_sets=[], having=None, qualify=None, aggregate_handling="STANDARD_HANDLING")
        scalar = {**node, "alias": "", "subquery_type": "SCALAR", "child": None, "comparison_type": "INVALID"}
        return [{**scalar, "subquery": {**node["subquery"], "node": asked}}]

    def _of_window(self, node: Node, scope: "Scope", known: dict[str, Table]) -> list[Node]:
        """Of all rows of the window: a sum over rows is worth no more than each of them."""
        parts = [node["children"], node["partitions"], node["filter_expr"], [one["expression"] for one in node["orders"]]]
        own = self._of(parts, scope, known)
        if node["function_name"].lower() in _RANKS:
            return own
        rows = combined([*own, *scope.brought])
        if rows is None:
            return []
        window = {
            **WINDOW,
            "children": [rows],
            "partitions": deepcopy(node["partitions"]),
            "filter_expr": call("ltc_has", rows),
        }
        return [call("flatten", window)]


class Scope(NamedTuple):
    """The tables in scope of an expression, and their refusals."""

    leaves: Sequence[Leaf]
    brought: list[Node]

    def origin(self, columns: Sequence[list[str]]) -> Node:
        """The `_row` of the table that a column is of: the first one's where that is not certain."""
        for names in columns:
            if len(names) > 1 and names[0].lower() in {leaf.alias.lower() for leaf in self.leaves}:
                return column(names[0], ROW)
            tables = [(leaf, leaf.table.columns) for leaf in self.leaves]
            holders = [leaf for leaf, known in tables if known is not None and names[-1].lower() in known]
            if len(holders) == 1:
                return holders[0].row
        return self.leaves[0].row if self.leaves else constant_null("BIGINT")


def _refusals_of_call(node: Node, scope: Scope) -> Node:
    columns = columns_of(node["children"])
    place = columns[0][-1] if columns else node["children"][0].get("alias") or ""
    name = node["function_name"].lower() + "_refusals"
    return call(name, scope.origin(columns), constant(place), *deepcopy(node["children"]))


def _exclude_hidden(expressions: Sequence[Node], leaves: Sequence[Leaf]) -> None:
    """`*` stands for the query's own columns."""
    for expression in expressions:
        if expression.get("class") != "STAR":
            continue
        table = expression["relation_name"].lower()
        hidden = {name for leaf in leaves if not table or leaf.alias.lower() == table for name in leaf.table.hidden}
        expression["exclude_list"] += sorted(hidden - set(expression["exclude_list"]))


def _ordered_by(node: Node) -> list[Node]:
    return [
        one["expression"] for modifier in node["modifiers"] if modifier["type"] == "ORDER_MODIFIER" for one in modifier["orders"]
    ]
