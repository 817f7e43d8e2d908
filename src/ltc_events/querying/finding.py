"""Searches numbers, names, references and ids of every kind, by an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple
from uuid import UUID

from ltc_events.kernel.errors import LtcError
from ltc_events.kernel.search_form import search_form
from ltc_events.reports.as_of import Connection
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)
FOUND_MAX = 50
_READ_MAX = 500
"""So many rows of the index are looked at, however many there are."""
_NEIGHBOURS = 25
_ALIKE_MIN = 0.6


class NothingFound(LtcError):
    """nothing is called {text}"""

    remedy = "{suggestion}"


class SeveralFound(LtcError):
    """{count} things are a {kind} called {text}"""

    remedy = "give the id of one of them: {candidates}"


class _Row(NamedTuple):
    search_term: str
    kind: str
    subject: UUID
    customer_id: UUID | None
    means: str
    system: str | None
    term: str
    word: int
    position: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A search result: its kind, its name, the term that matched, and its customer."""

    kind: str
    id: UUID
    called: str
    means: str
    system: str | None
    term: str
    customer_id: UUID | None
    customer: str | None

    def document(self) -> dict[str, str | None]:
        """The candidate as JSON-ready values."""
        return {
            "kind": self.kind,
            "id": str(self.id),
            "called": self.called,
            "means": self.means,
            "system": self.system,
            "term": self.term,
            "customer_id": None if self.customer_id is None else str(self.customer_id),
            "customer": self.customer,
        }


@dataclass(frozen=True, slots=True)
class Candidates:
    """The results, best first: exact matches, then prefixes, then prefixes of a word."""

    found: list[Candidate]
    is_cut: bool


def find(connection: Connection, text: str, limit: int = FOUND_MAX) -> Candidates:
    """Search for terms that equal `text`, begin with it or have a word that begins with it. Raises NothingFound with near terms.

    Case, accents and punctuation do not count. No more than some hundred rows are read, however many there are.
    """
    form = search_form(text)
    read = _READ_MAX
    rows = [_Row(*row) for row in connection.execute(_SQL["from_term"], {"form": form, "limit": read}).fetchall()] if form else []
    is_cut = len(rows) == read and rows[-1].search_term.startswith(form)
    # The whole of what is called so comes first, also where many have a word that is.
    exact = _exact(connection, form, None, read) if form else []
    matching = [*exact, *(row for row in rows if row.search_term.startswith(form))]
    matching.sort(key=lambda row: (row.search_term != form or row.word != 1, row.word != 1, row.search_term, -row.position))
    chosen: dict[tuple[str, UUID], _Row] = {}
    for row in matching:
        chosen.setdefault((row.kind, row.subject), row)
    if not chosen:
        raise NothingFound(text=text, suggestion=_suggestion(connection, form))
    kept = list(chosen.values())
    return Candidates(_candidates(connection, kept[:limit]), is_cut or len(kept) > limit)


def the_one(connection: Connection, kind: str, text: str) -> UUID:
    """The id of the one thing of this kind that is called exactly so. Raises NothingFound and SeveralFound."""
    form = search_form(text)
    ids = list(dict.fromkeys(row.subject for row in _exact(connection, form, kind, _READ_MAX))) if form else []
    if len(ids) == 1:
        return ids[0]
    if ids:
        shown = ", ".join(map(str, ids[:5])) + (" …" if len(ids) > 5 else "")
        raise SeveralFound(count=len(ids), kind=kind.replace("_", " "), text=text, candidates=shown)
    raise NothingFound(
        text=f"{text}, as a {kind.replace('_', ' ')}", suggestion=f"`ltc find {text!r}` shows what is called like it"
    )


def _exact(connection: Connection, form: str, kind: str | None, limit: int) -> list[_Row]:
    given = {"form": form, "kind": kind, "limit": limit}
    return [_Row(*row) for row in connection.execute(_SQL["exactly"], given).fetchall()]


def _candidates(connection: Connection, rows: Sequence[_Row]) -> list[Candidate]:
    subjects = [row.subject for row in rows]
    called: dict[UUID, str] = dict(connection.execute(_SQL["numbers"], {"subjects": subjects}).fetchall())
    owners = [row.customer_id for row in rows if row.customer_id is not None]
    names: dict[UUID, str | None] = dict(connection.execute(_SQL["customers"], {"customers": owners}).fetchall())
    return [
        Candidate(
            row.kind,
            row.subject,
            called.get(row.subject, row.term),
            row.means,
            row.system,
            row.term,
            row.customer_id,
            None if row.customer_id is None else names.get(row.customer_id),
        )
        for row in rows
    ]


def _suggestion(connection: Connection, form: str) -> str:
    """The most similar terms among its neighbours in the index."""
    terms: dict[str, str] = {}
    for statement in (_SQL["from_term"], _SQL["before_term"]):
        for found in connection.execute(statement, {"form": form, "limit": _NEIGHBOURS}):
            row = _Row(*found)
            terms.setdefault(row.search_term, row.term)
    near = get_close_matches(form, terms, n=3, cutoff=_ALIKE_MIN)
    asked = list(dict.fromkeys(terms[one] for one in near))
    return (
        f"did you mean {' or '.join(asked)}?"
        if asked
        else "numbers, names, references and ids are searched from a word of theirs on"
    )
