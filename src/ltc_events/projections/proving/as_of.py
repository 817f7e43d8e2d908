"""Read tables as of an earlier position of the log, built in temporary tables."""

from collections.abc import Sequence

from psycopg import sql

from ltc_events.projections.catalog.ddl import index_sql, table_sql
from ltc_events.projections.catalog.installed_tables import describe
from ltc_events.projections.declaration.names import TEMPORARY, Connection, relation
from ltc_events.projections.declaration.projection import Projection, build_of, temporary
from ltc_events.projections.following.bulk_loader import FILL_EVENTS, BulkLoader
from ltc_events.projections.following.table_track import PARTITION, SOURCE
from ltc_events.projections.proving.digest import Digest, digest_rows
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)


def digests_as_of(
    database: Database, projections: Sequence[type[Projection]], position: int, *, page_events: int = FILL_EVENTS
) -> list[Digest]:
    """The digests of these tables as of a position, with one read of the log. Raises FoldStopped."""
    tables = [temporary(projection) for projection in projections]
    with EventStore(database, Role.PROJECTOR) as store, database.connect(Role.PROJECTOR, autocommit=True) as connection:
        make_temporary(connection, *tables, indexed=True)
        BulkLoader(store, connection, *tables, page_events=page_events).fill(0, position)
        return [
            Digest(
                table.table, build_of(table), position, *digest_rows(connection, describe(connection, build_of(table), TEMPORARY))
            )
            for table in tables
        ]


def make_temporary(connection: Connection, *projections: type[Projection], indexed: bool = False) -> None:
    """Create the empty temporary tables of projections made by `temporary`, with their own checkpoints.

    Tables whose failure policy leaves out events get their indexes, since an index can refuse rows; others if `indexed`.
    """
    for name in ("checkpoints", "projection_letters"):
        connection.execute(_SQL.compose("make_like", temporary=sql.Identifier(name), table=relation(name)))
    for projection in projections:
        for statement in table_sql(projection):
            connection.execute(statement)
        for statement in index_sql(projection) if indexed or projection.on_failure != "stop" else ():
            connection.execute(statement)
        connection.execute(_SQL["begin_checkpoint"], (projection.place(), projection.version, SOURCE, PARTITION))
