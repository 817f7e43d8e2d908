"""Finds a customer by id, name, or another system's reference."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from ltc_events.kernel.search_form import search_form
from ltc_events.reports.as_of import Connection
from ltc_events.reports.errors import CustomerAmbiguous, CustomerUnknown
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__, "queries")

CANDIDATES_MAX = 5
NEIGHBOURS = 25
"""So many different names on either side are looked at for one that was mistyped, however many customers there are."""
_ALIKE_MIN = 0.6


def find_customer(connection: Connection, wanted: str | UUID) -> UUID:
    """The id of the customer; raises CustomerUnknown, which names the nearest, and CustomerAmbiguous."""
    identifier = _as_id(wanted)
    if identifier is not None:
        if connection.execute(_SQL["by_id"], (identifier,)).fetchone() is None:
            raise CustomerUnknown(customer=wanted, suggestion="nothing is recorded for this id; try the name")
        return identifier
    form = search_form(str(wanted))
    for query in (_SQL["by_name"], _SQL["by_reference"]):
        found = connection.execute(query, {"text": wanted, "form": form, "limit": CANDIDATES_MAX}).fetchall()
        if len(found) == 1:
            return UUID(str(found[0][0]))
        if found:
            raise CustomerAmbiguous(count=found[0][3], customer=wanted, candidates=", ".join(map(_candidate, found)))
    raise CustomerUnknown(customer=wanted, suggestion=_suggestion(connection, form))


def _candidate(found: tuple[Any, ...]) -> str:
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
    """The most similar names among its neighbours in the order of beginnings and of endings."""
    near = list(dict.fromkeys(_near(form, set(neighbours(connection, form)))))[:CANDIDATES_MAX]
    spelt: dict[str, str] = dict(connection.execute(_SQL["spelt"], (near,)).fetchall()) if near else {}
    names = [spelt[one] for one in near if one in spelt]
    return f"did you mean {' or '.join(names)}?" if names else "give its id, its name or another system's reference for it"


def neighbours(connection: Connection, form: str) -> Iterator[str]:
    """The search forms of names next to this one in the order of beginnings and in that of endings."""
    for column, start, turn in (("search_name", form, 1), ("search_name_reversed", form[::-1], -1)):
        for first, next, order in ((">=", ">", "ASC"), ("<", "<", "DESC")):
            query = _SQL.text("neighbours").format(column=column, first=first, next=next, order=order)
            for (name,) in connection.execute(query.encode(), {"form": start, "limit": NEIGHBOURS}):
                yield name[::turn]


def _near(form: str, names: set[str]) -> Iterator[str]:
    """The names that contain it, then those that are similar."""
    if form:
        yield from sorted(name for name in names if form in name)[:CANDIDATES_MAX]
        yield from get_close_matches(form, sorted(names), n=3, cutoff=_ALIKE_MIN)
