"""Analyses SQL text: statement boundaries, whether it is a query, the read tables it names; rewrites it to another state."""

import re
from collections.abc import Iterable, Iterator, Mapping

from ltc_events.querying.errors import OnlyQueries

QUERIES = frozenset({"select", "with", "values", "table", "explain", "show"})
_PARTS = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<escaped>\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z))
  | (?P<string>'(?:[^']|'')*(?:'|\Z))
  | (?P<name>"(?:[^"]|"")*(?:"|\Z))
  | (?P<dollar>(?<![\w$])\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
  | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)
_WITH = re.compile(r"\s*with\b(?:\s+recursive\b)?", re.IGNORECASE)
_DEFINES = r"(?<![\w.]){name}\s*(?:\([^)]*\))?\s+as\s*(?:not\s+)?(?:materialized\s*)?\("
_EXPLAIN = re.compile(r"\s*explain\b(?:\s*\([^)]*\)|\s+(?:analyze|verbose)\b)*", re.IGNORECASE)


def split(text: str) -> tuple[list[str], str]:
    """The statements that end with a semicolon, without it, and the rest after the last one."""
    found, begin = [], 0
    for place in _ends(text):
        found.append(text[begin:place].strip())
        begin = place + 1
    return [one for one in found if code_of(one).strip()], text[begin:]


def is_amid_comment(text: str) -> bool:
    """Whether the text ends within a comment."""
    parts = list(_PARTS.finditer(text))
    return bool(parts) and parts[-1][0].startswith("/*") and not parts[-1][0].endswith("*/")


def code_of(text: str) -> str:
    """The text with blanks in place of comments, strings and quoted names: as long as before."""
    return _PARTS.sub(lambda part: part[0] if part["end"] else " " * len(part[0]), text)


def require_query(statement: str) -> None:
    """Refuse a statement that does not begin like a query. Raises OnlyQueries. (The transaction is read-only in any case.)"""
    word = re.match(r"[\s(]*(\w*)", code_of(statement))
    first = word[1] if word else ""
    if first.lower() not in QUERIES:
        raise OnlyQueries(word=first.upper() or "something else")


def names_in(statement: str, known: Iterable[str]) -> list[str]:
    """The known relations that it names without a schema, in the order of `known`."""
    code = code_of(statement).lower()
    return [name for name in known if re.search(rf"(?<![\w.$]){name}(?![\w$])", code)]


def seen_through(statement: str, views: Mapping[str, str]) -> str:
    """The query with subqueries in place of the relations named here; `queries` maps names to them.

    Names that the query itself defines and names with a schema are not replaced; order and columns stay as they are.
    """
    code = code_of(statement)
    mine = {name: query for name, query in views.items() if not re.search(_DEFINES.format(name=name), code, re.IGNORECASE)}
    if not mine:
        return statement
    explained = _EXPLAIN.match(code)
    start = explained.end() if explained else 0
    own = _WITH.match(code, start)  # a query has one WITH, which takes in both
    word = own[0].strip() if own else "WITH"
    separator = "," if own else "\n"
    ctes = ",\n".join(f"{name} AS NOT MATERIALIZED ({query})" for name, query in mine.items())
    return f"{statement[:start]} {word} {ctes}{separator}{statement[own.end() if own else start :]}"


def _ends(text: str) -> Iterator[int]:
    for part in _PARTS.finditer(text):
        if part["end"]:
            yield part.start()
