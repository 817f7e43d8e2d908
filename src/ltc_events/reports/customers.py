"""Finding the customer that somebody means: by id, name, or what another system calls it."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from ltc_events.kernel.names import search_form
from ltc_events.reports.as_of import Connection
from ltc_events.reports.errors import CustomerAmbiguous, CustomerUnknown

CANDIDATES_MAX = 5
NEIGHBOURS = 25
"""So many different names on either side are looked at for one that was mistyped, however many customers there are."""
_ALIKE_MIN = 0.6

_BY_ID = "SELECT customer_id FROM ltc_read.timeline WHERE customer_id = %s LIMIT 1"
# Several may be searched for alike; if one is written just so, it is meant.
_BY_NAME = """
SELECT customer_id, name, registered_on, count(*) OVER ()
FROM (
    SELECT *, lower(name) = lower(%(text)s) AS is_same, bool_or(lower(name) = lower(%(text)s)) OVER () AS is_any_same
    FROM ltc_read.customers
    WHERE search_name = %(form)s AND name IS NOT NULL
) alike
WHERE is_same OR NOT is_any_same
ORDER BY registered_position
LIMIT %(limit)s
"""
_BY_REFERENCE = """
SELECT customer_id, c.name, c.registered_on, count(*) OVER ()
FROM (SELECT customer_id, min(position) AS position FROM ltc_read.customer_references WHERE reference = %(text)s GROUP BY 1) r
LEFT JOIN ltc_read.customers c USING (customer_id)
ORDER BY r.position
LIMIT %(limit)s
"""
# From one name to the next by the index, so that a thousand customers of one name take one step.
_NEIGHBOURS = """
WITH RECURSIVE step (name, number) AS (
    (SELECT {column}, 1 FROM ltc_read.customers WHERE {column} {first} %(form)s ORDER BY {column} {order} LIMIT 1)
    UNION ALL
    SELECT (SELECT {column} FROM ltc_read.customers WHERE {column} {next} step.name ORDER BY {column} {order} LIMIT 1), number + 1
    FROM step
    WHERE name IS NOT NULL AND number < %(limit)s
)
SELECT name FROM step WHERE name IS NOT NULL
"""
_SPELT = """
SELECT DISTINCT ON (search_name) search_name, name FROM ltc_read.customers WHERE search_name = ANY (%s) AND name IS NOT NULL
ORDER BY search_name, registered_position
"""


def find_customer(connection: Connection, wanted: str | UUID) -> UUID:
    """The id of the customer; raises CustomerUnknown, which names the nearest, and CustomerAmbiguous."""
    identifier = _as_id(wanted)
    if identifier is not None:
        if connection.execute(_BY_ID, (identifier,)).fetchone() is None:
            raise CustomerUnknown(customer=wanted, suggestion="nothing is recorded for this id; try the name")
        return identifier
    form = search_form(str(wanted))
    for query in (_BY_NAME, _BY_REFERENCE):
        found = connection.execute(query, {"text": wanted, "form": form, "limit": CANDIDATES_MAX}).fetchall()
        if len(found) == 1:
            return UUID(str(found[0][0]))
        if found:
            raise CustomerAmbiguous(count=found[0][3], customer=wanted, candidates=", ".join(map(_told, found)))
    raise CustomerUnknown(customer=wanted, suggestion=_suggestion(connection, form))


def _told(found: tuple[Any, ...]) -> str:
    id, name, registered_on, _ = found
    return f"{id} ({name}, registered {registered_on})" if registered_on else f"{id} ({name})"


def _as_id(wanted: str | UUID) -> UUID | None:
    if isinstance(wanted, UUID):
        return wanted
    try:
        return UUID(wanted)
    except ValueError:
        return None


def _suggestion(connection: Connection, form: str) -> str:
    """The nearest names among those that stand beside it in the order of the beginnings and of the ends."""
    near = list(dict.fromkeys(_near(form, set(neighbours(connection, form)))))[:CANDIDATES_MAX]
    spelt: dict[str, str] = dict(connection.execute(_SPELT, (near,)).fetchall()) if near else {}
    names = [spelt[one] for one in near if one in spelt]
    return f"did you mean {' or '.join(names)}?" if names else "give its id, its name or another system's reference for it"


def neighbours(connection: Connection, form: str) -> Iterator[str]:
    """Names, as they are searched for, on either side of this one in the order of beginnings and in the order of ends."""
    for column, start, turn in (("search_name", form, 1), ("search_name_reversed", form[::-1], -1)):
        for first, next, order in ((">=", ">", "ASC"), ("<", "<", "DESC")):
            query = _NEIGHBOURS.format(column=column, first=first, next=next, order=order)
            for (name,) in connection.execute(query.encode(), {"form": start, "limit": NEIGHBOURS}):
                yield name[::turn]


def _near(form: str, names: set[str]) -> Iterator[str]:
    """First those that it is a part of, then those that are alike."""
    if form:
        yield from sorted(name for name in names if form in name)[:CANDIDATES_MAX]
        yield from get_close_matches(form, sorted(names), n=3, cutoff=_ALIKE_MIN)
