"""Completion of words in a query: keywords, read tables, and columns of the tables that the query names."""

from collections.abc import Iterator

from ltc_events.querying.session import TABLES
from ltc_events.querying.statement import names_in

_KEYWORDS = (
    "AND AS ASC BETWEEN BY CASE COUNT CROSS DATE DESC DISTINCT ELSE END EXCEPT EXISTS EXPLAIN FILTER FROM FULL GROUP HAVING ILIKE"
    " IN INNER INTERSECT INTERVAL IS JOIN LATERAL LEFT LIKE LIMIT NOT NULL OFFSET ON OR ORDER OVER PARTITION SELECT SUM TABLE"
    " THEN UNION USING VALUES WHEN WHERE WINDOW WITH"
)
KEYWORDS = tuple(_KEYWORDS.split())


def completions(word: str, text: str) -> list[str]:
    """The completions of `word`, the last word of the query `text`; after an alias and a dot, columns only."""
    before, dot, begun = word.rpartition(".")
    named = names_in(text, TABLES)
    columns = sorted({name for table in named for name in TABLES[table].columns})
    if dot:
        return [f"{before}.{name}" for name in columns if name.startswith(begun.lower())]
    return list(_words(begun, columns))


def _words(begun: str, columns: list[str]) -> Iterator[str]:
    for name in (*columns, *sorted(TABLES)):
        if name.startswith(begun.lower()):
            yield name
    for keyword in KEYWORDS:
        if begun and keyword.startswith(begun.upper()):
            yield keyword if begun.isupper() else keyword.lower()
