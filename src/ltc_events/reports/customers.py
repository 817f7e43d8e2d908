"""Finding the customer that somebody means: by id, name, or what another system calls it."""

from difflib import get_close_matches
from uuid import UUID

from ltc_events.reports.errors import CustomerAmbiguous, CustomerUnknown
from ltc_events.reports.knowledge import Connection

CANDIDATES_MAX = 5

_BY_ID = "SELECT customer_id FROM ltc_read.timeline WHERE customer_id = %s LIMIT 1"
_BY_NAME = "SELECT customer_id, name FROM ltc_read.customers WHERE lower(name) = lower(%(text)s) ORDER BY registered_position"
_BY_REFERENCE = """
SELECT r.customer_id, c.name FROM ltc_read.customer_references r LEFT JOIN ltc_read.customers c USING (customer_id)
WHERE r.reference = %(text)s ORDER BY r.position
"""
_NEAR = (
    "SELECT DISTINCT name FROM ltc_read.customers WHERE strpos(lower(name), lower(%(text)s)) > 0 ORDER BY name LIMIT %(limit)s"
)
_NAMES = "SELECT DISTINCT name FROM ltc_read.customers WHERE name IS NOT NULL"


def find_customer(connection: Connection, wanted: str | UUID) -> UUID:
    """The id of the customer; raises CustomerUnknown, which names the nearest, and CustomerAmbiguous."""
    identifier = _as_id(wanted)
    if identifier is not None:
        if connection.execute(_BY_ID, (identifier,)).fetchone() is None:
            raise CustomerUnknown(customer=wanted, suggestion="nothing is recorded for this id; try the name")
        return identifier
    for query in (_BY_NAME, _BY_REFERENCE):
        found: dict[UUID, str | None] = dict(connection.execute(query, {"text": wanted}).fetchall())
        if len(found) == 1:
            return next(iter(found))
        if found:
            shown = [f"{id} ({name})" for id, name in list(found.items())[:CANDIDATES_MAX]]
            raise CustomerAmbiguous(count=len(found), customer=wanted, candidates=", ".join(shown))
    raise CustomerUnknown(customer=wanted, suggestion=_suggestion(connection, str(wanted)))


def _as_id(wanted: str | UUID) -> UUID | None:
    if isinstance(wanted, UUID):
        return wanted
    try:
        return UUID(wanted)
    except ValueError:
        return None


def _suggestion(connection: Connection, wanted: str) -> str:
    near = [row[0] for row in connection.execute(_NEAR, {"text": wanted, "limit": CANDIDATES_MAX})]
    if not near:
        names = {row[0].lower(): row[0] for row in connection.execute(_NAMES)}
        near = [names[name] for name in get_close_matches(wanted.lower(), names, n=3, cutoff=0.6)]
    return f"did you mean {' or '.join(near)}?" if near else "give its id, its name or another system's reference for it"
