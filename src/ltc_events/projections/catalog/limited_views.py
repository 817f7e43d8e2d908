"""The views that limited readers use: those of the read tables, cut down to the customers that a login is limited to.

They lie in a schema of their own, so the others are as they were, and as quick. They are barriers: no condition that a reader
writes sees a row that the view does not show. What belongs to the company as a whole is not among them.
"""

from psycopg import sql

from ltc_events.projections.declaration.names import SCHEMA, Connection, relation
from ltc_events.store.sql_files import Statements

LIMITED = "ltc_limited"
LIMITED_READER = "ltc_limited_reader"
CUSTOMER = "customer_id"
_SQL = Statements(__name__)


def limit_view(connection: Connection, name: str) -> bool:
    """Make the limited view of the one of this name; whether it has customers. In an older ledger there is no such schema."""
    columns = [column for (column,) in connection.execute(_SQL["columns"], {"view": f"{SCHEMA}.{name}", "schema": LIMITED})]
    if CUSTOMER not in columns:
        return False
    # Another customer than the row's own is named only to who may see that one as well.
    shown = [
        _SQL.compose("if_visible", column=sql.Identifier(one)) if one.endswith(f"_{CUSTOMER}") else sql.Identifier(one)
        for one in columns
    ]
    view = relation(name, LIMITED)
    parts = {"view": view, "columns": sql.SQL(", ").join(shown), "original": relation(name)}
    connection.execute(_SQL.compose("limited_view", **parts))
    connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(view, sql.Identifier(LIMITED_READER)))
    meaning = f"{SCHEMA}.{name}, as far as it is of customers that the login is limited to."
    connection.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(view, sql.Literal(meaning)))
    return True


def remove_limited(connection: Connection, name: str) -> None:
    """Remove the limited view of the one of this name, if there is one."""
    connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(relation(name, LIMITED)))
