"""Read tables whose checkpoint is ahead of the store, after a restore or a promotion that lost events."""

from typing import NamedTuple

from psycopg.rows import class_row

from ltc_events.projections.declaration.names import Connection
from ltc_events.store import StoreWentBack
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)
NAMED_MAX = 3


class Ahead(NamedTuple):
    """A checkpoint ahead of the store, whose head is `head`: beyond the head, or after an event that the store does not have.

    `mark_position` and `epoch` are those of an applied event (None: from a release that did not store them).
    """

    projection: str
    version: int
    source: str
    partition: int
    position: int
    mark_position: int | None
    epoch: str | None
    head: int


def tables_ahead(connection: Connection) -> list[Ahead]:
    """The checkpoints ahead of the store. Needs a reader's privileges only."""
    if connection.execute(_SQL["is_laid_out"]).fetchone() != (True,):
        return []
    with connection.cursor(row_factory=class_row(Ahead)) as cursor:
        return cursor.execute(_SQL["tables_ahead"]).fetchall()


def describe_ahead(ahead: list[Ahead]) -> str:
    """The tables and their positions in one line."""
    names = list(dict.fromkeys(one.projection for one in ahead))
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    high, head = max(one.position for one in ahead), ahead[0].head
    which = f"read table{'s' if len(names) > 1 else ''} {', '.join(names[:NAMED_MAX])}{more}"
    return f"{which} took in events up to position {high} that the store, whose head is {head}, does not have"


def refuse_tables_ahead(connection: Connection) -> None:
    """Raise StoreWentBack where a table is ahead of the store."""
    if ahead := tables_ahead(connection):
        raise StoreWentBack(what=describe_ahead(ahead))
