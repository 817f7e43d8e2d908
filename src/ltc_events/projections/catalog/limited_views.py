"""The views for limited readers: those of the read tables, restricted to the customers that a login may see.

They are in a separate schema, so that the other views keep their speed. They are security barriers: no condition written by a
reader is evaluated on a row that the view hides. Tables of the company as a whole have no limited view.
"""

from psycopg import sql

from ltc_events.projections.declaration.names import SCHEMA, Connection, relation
from ltc_events.store.sql_files import Statements

LIMITED = "ltc_limited"
LIMITED_READER = "ltc_limited_reader"
CUSTOMER = "customer_id"
_SQL = Statements(__name__)


def limit_view(connection: Connection, name: str) -> bool:
    """Create the limited view of a view; whether it has a customer column. Older ledgers lack the schema, and get none."""
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
    """Drop the limited view of a view, if there is one."""
    connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(relation(name, LIMITED)))
