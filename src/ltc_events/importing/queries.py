"""Compiles the SQL of a mapping: checks what it may use, finds its columns, and adds the hidden columns of `lineage`."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ltc_events.importing.certainty import NOT_IN_STAR, REFUSALS, ROW, Table, Unsupported
from ltc_events.importing.engine import Engine, QueryFailed, place
from ltc_events.importing.errors import Mistake
from ltc_events.importing.formats import problem_of_call, with_patterns
from ltc_events.importing.joins import unmatched
from ltc_events.importing.lineage import Lineage
from ltc_events.importing.mapping import nearest
from ltc_events.importing.trees import Node, walk

Tell = Callable[[Mistake], None]
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "json_each"})
_CHANGING = frozenset(
    {
        *("now", "today", "current_timestamp", "current_date", "current_time", "get_current_timestamp", "transaction_timestamp"),
        *("current_localtimestamp", "current_localtime", "random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "nextval"),
        *("getvariable", "getenv", "setseed", "current_setting", "write_log", "query", "query_table"),
    }
)
_LENGTHS = frozenset(f"to_{unit}s" for unit in ("year", "quarter", "month", "week", "day", "hour", "minute", "second"))
_INEXACT = frozenset({"FLOAT", "DOUBLE"})


class Query(NamedTuple):
    """A query that may run: its own columns and types, the tables it reads, and its text with the hidden columns.

    `unmatched`: a query of the rows (`_row`) that its inner joins find nothing for, and what they look for; None without a join.
    """

    columns: dict[str, str]
    reads: frozenset[str]
    first_table: str | None
    sql: str
    table: Table
    unmatched: tuple[str, str] | None = None


class Queries:
    """Compiles SQL texts over the tables known so far."""

    def __init__(self, engine: Engine, maps: list[str]) -> None:
        self._engine = engine
        self._maps = maps
        self.tables: dict[str, Table] = {}

    def know(self, name: str, columns: list[str], found: Table | None, *, raw: bool = False) -> None:
        """Take in a table by its name, and what is known of its query; a source's is also known as `raw.name`."""
        names = frozenset(one.lower() for one in columns)
        found = found or Table(None, REFUSALS in names)
        table = found._replace(columns=names, hidden=names & NOT_IN_STAR)
        if raw:
            self.tables[f"raw.{name}"] = table
            self.tables.setdefault(name, table)
        else:
            self.tables[name] = table

    def reads(self, sql: str) -> set[str]:
        """The tables that a text names, or none where it cannot be read."""
        found: set[str] = set()
        try:
            walk(self._engine.tree(sql), lambda node: found.add(_name(node)) if node.get("type") == "BASE_TABLE" else None)
        except QueryFailed:
            return set()
        return found

    def compile(self, sql: str, file: str, tell: Tell) -> Query | None:
        """The compiled query of a text; None after mistakes, all of which are reported."""
        try:
            tree = self._engine.tree(sql)
        except QueryFailed as error:
            tell(error.mistake(file))
            return None
        before = _Told(tell)
        self._check(tree, sql, file, before)
        if before.count:
            return None
        try:
            followed, table = Lineage(self.tables, self._engine.aggregates).follow(tree)
            text = self._engine.text(with_patterns(followed))
        except Unsupported as error:
            tell(Mistake(file, *place(sql, error.at), error.problem, error.fix))
            return None
        try:
            types = self._engine.describe(text)
        except QueryFailed as error:
            tell(self._mistake_in(sql, error).mistake(file))
            return None
        columns = {name: type for name, type in types.items() if name not in NOT_IN_STAR}
        for name, type in columns.items():
            if any(one in _INEXACT for one in _words(type)):
                fix = "read it with ltc_amount, divide with ltc_div, round with ltc_round, or cast it to DECIMAL(18, 2)"
                before(Mistake(file, 0, 0, f"column {name} is {type}, which rounds", fix))
        if before.count:
            return None
        reads: set[str] = set()
        walk(tree, lambda node: reads.add(_name(node)) if node.get("type") == "BASE_TABLE" else None)
        open = unmatched(followed)
        left = None if open is None else (self._engine.text(open[0]), open[1])
        return Query(columns, frozenset(reads), _first(tree, self.tables), text, table, left)

    def _mistake_in(self, sql: str, error: QueryFailed) -> QueryFailed:
        """A mistake as DuckDB tells it of the text as it was written, where it has a place."""
        try:
            self._engine.describe(sql)
        except QueryFailed as found:
            return error if f'"{ROW}"' in found.problem else found
        return QueryFailed(f"cannot be followed to its rows: {error.problem}", "name parts of it with WITH")

    def _check(self, tree: Node, sql: str, file: str, tell: Tell) -> None:
        named = set(self.tables)
        walk(tree, lambda node: named.update(one["key"].lower() for one in node.get("cte_map", {}).get("map", [])))

        lengths: list[Node] = []  # INTERVAL 7 DAY is parsed to a call whose argument is cast to DOUBLE and back

        def check(node: Node) -> None:
            if any(node is one for one in lengths):
                return
            if node.get("class") == "FUNCTION" and _function(node) in _LENGTHS:
                walk(node["children"], lengths.append)
            found = self._problem(node, named)
            if found is not None:
                tell(Mistake(file, *place(sql, node.get("query_location", -1)), *found))

        walk(tree, check)

    def _problem(self, node: Node, named: set[str]) -> tuple[str, str] | None:
        match node.get("class") or node.get("type"):
            case "BASE_TABLE" if _name(node) not in named:
                known = sorted(one for one in named if "." not in one)
                return f"there is no table {_name(node)}", nearest(_name(node), known) if known else "name a source"
            case "TABLE_FUNCTION" if (name := _function(node["function"])) not in _TABLE_FUNCTIONS:
                return f"{name} is out of reach of a mapping", "files and databases are sources of mapping.toml"
            case "CAST" if node.get("try_cast"):
                return "TRY_CAST makes nothing of what it cannot read", _READ
            case "CAST" if node["cast_type"]["id"] in _INEXACT:
                return f"{node['cast_type']['id']} rounds", "write DECIMAL(18, 2), or ltc_amount for a cell"
            case "FUNCTION":
                found = problem_of_call(_function(node), node["children"], self._maps)
                return found or self._problem_of_function(_function(node))
        return None

    def _problem_of_function(self, name: str) -> tuple[str, str] | None:
        if name == "/":
            return "/ makes numbers that computers round", "write ltc_div(a, b, 2), which rounds to as many places as you say"
        if name in self._engine.inexact or name in ("avg", "mean"):
            return f"{name} makes numbers that computers round", "write it with sums, ltc_div and ltc_round"
        if name in _CHANGING:
            return f"{name} is something else each time", "take what is in the files: importing twice must say the same"
        if name in ("try_strptime", "try_cast") or name.startswith("try_"):
            return f"{name} makes nothing of what it cannot read", _READ
        return None


_READ = "read cells with ltc_amount, ltc_integer, ltc_date, ltc_time or ltc_boolean, which refuse the row"


class _Told:
    """Counts the mistakes that it passes on."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.count = 0

    def __call__(self, mistake: Mistake) -> None:
        self.count += 1
        self._tell(mistake)


def _name(node: Node) -> str:
    schema = node.get("schema_name", "").lower()
    name: str = node["table_name"].lower()
    return f"{schema}.{name}" if schema else name


def _function(node: Any) -> str:
    return str(node.get("function_name", "")).lower()


def _words(type: str) -> list[str]:
    return "".join(one if one.isalnum() else " " for one in type).split()


def _first(tree: Node, tables: dict[str, Table]) -> str | None:
    """The table whose rows the rows of a query are of: the leftmost, through subqueries and what WITH names."""
    ctes = {one["key"].lower(): one["value"]["query"]["node"] for one in tree.get("cte_map", {}).get("map", [])}

    def of(node: Node, inner: dict[str, Node]) -> str | None:
        inner = {**inner, **{one["key"].lower(): one["value"]["query"]["node"] for one in node.get("cte_map", {}).get("map", [])}}
        match node.get("type"):
            case "SELECT_NODE":
                return of(node["from_table"], inner)
            case "SET_OPERATION_NODE":
                return of((node.get("children") or [node["left"]])[0], inner)
            case "JOIN":
                return of(node["left"], inner) or of(node["right"], inner)
            case "SUBQUERY":
                return of(node["subquery"]["node"], inner)
            case "BASE_TABLE":
                name = _name(node)
                if name in inner:
                    return of(inner[name], {key: value for key, value in inner.items() if key != name})
                return name if name in tables else None
        return None

    return of(tree, ctes)
