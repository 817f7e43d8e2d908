"""What a declaration becomes in the database: table, primary key, indexes, comments, guards, view, checkpoint.

All of it is made as the projector's role, which owns what it makes; readers get SELECT.
"""

from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import LiteralString

from psycopg import sql

from ltc_events.projections.base import Projection
from ltc_events.projections.errors import TableDiffers
from ltc_events.projections.naming import READER, SCHEMA, Connection, names, relation

# One number for "somebody is making read tables": projectors that start together queue up behind it.
_PREPARE_LOCK = 0x6C746372


def prepare(connection: Connection, projections: Sequence[type[Projection]], *, source: str, partition: int) -> None:
    """Make what is missing, in one transaction. Raises TableDiffers when a table is not as declared."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_PREPARE_LOCK,))
        connection.execute(_script("read_schema"))
        present, shown = _present_columns(connection), _shown_versions(connection)
        for projection in projections:
            found, declared = present.get(projection.physical()), _declared_columns(projection)
            if not found:
                for statement in (*table_sql(projection), *index_sql(projection)):
                    connection.execute(statement)
            elif found != declared:
                raise TableDiffers(table=projection.physical(), found=", ".join(found), declared=", ".join(declared))
            if projection.table not in shown:
                show(connection, projection)
        connection.execute(
            "INSERT INTO ltc_read.checkpoints"
            " SELECT p, v, %s, %s, 0, clock_timestamp() FROM unnest(%s::text[], %s::int4[]) AS t (p, v) ON CONFLICT DO NOTHING",
            (source, partition, [one.table for one in projections], [one.version for one in projections]),
        )


def show_newer(connection: Connection, projections: Iterable[type[Projection]]) -> None:
    """Let the views of these projections, which have reached the head, show them where they show an older version."""
    shown = _shown_versions(connection)
    for projection in projections:
        if shown[projection.table] < projection.version:
            show(connection, projection)


def show(connection: Connection, projection: type[Projection]) -> None:
    """Let the view, which readers use, show this version's table."""
    with connection.transaction():
        for statement in view_sql(projection):
            connection.execute(statement)


def table_sql(projection: type[Projection]) -> Iterator[sql.Composed]:
    """The table of this version with its comments and guards, without secondary indexes."""
    table = relation(projection.physical(), projection.schema)
    columns = [_column_sql(projection, name) for name in projection.columns]
    key = sql.SQL("PRIMARY KEY ({})").format(names(projection.key))
    # Rows that change keep some room beside them, so that a change stays on its page and leaves the indexes alone.
    room = sql.SQL("" if projection.append_only else " WITH (fillfactor = 80)")
    yield sql.SQL("CREATE TABLE {} ({}){}").format(table, sql.SQL(", ").join([*columns, key]), room)
    yield from _comments_sql("TABLE", projection.schema, projection.physical(), projection)
    yield sql.SQL("GRANT SELECT ON {} TO {}").format(table, sql.Identifier(READER))
    if projection.balanced:
        arguments = (projection.balanced.amount, *projection.balanced.entry)
        yield sql.SQL(
            "CREATE TRIGGER balanced AFTER INSERT ON {} REFERENCING NEW TABLE AS inserted"
            " FOR EACH STATEMENT EXECUTE FUNCTION ltc_read.refuse_unbalanced({})"
        ).format(table, sql.SQL(", ").join(map(sql.Literal, arguments)))
        yield sql.SQL(
            "CREATE TRIGGER unchanged BEFORE UPDATE OR DELETE ON {} FOR EACH STATEMENT EXECUTE FUNCTION ltc_read.refuse_change()"
        ).format(table)
    for name, condition in projection.checks.items():
        # Not a CHECK constraint: that one would also judge the partial row that an upsert proposes before it merges.
        yield sql.SQL(
            "CREATE TRIGGER {} AFTER INSERT OR UPDATE ON {} FOR EACH ROW WHEN (({}) IS NOT TRUE)"
            " EXECUTE FUNCTION ltc_read.refuse_row({})"
        ).format(sql.Identifier(f"check_{name}"), table, _declared_sql(condition), sql.Literal(name))


def index_sql(projection: type[Projection]) -> Iterator[sql.Composed]:
    """The secondary indexes; apart from the table, because a bulk fill is quicker without them."""
    for index in projection.indexes:
        yield sql.SQL("CREATE INDEX ON {} ({})").format(relation(projection.physical()), names(index))


def view_sql(projection: type[Projection]) -> Iterator[sql.Composed]:
    """The view with its comments and grants."""
    view = relation(projection.table)
    yield sql.SQL("DROP VIEW IF EXISTS {}").format(view)
    yield sql.SQL("CREATE VIEW {} AS SELECT {} FROM {}").format(view, names(projection.columns), relation(projection.physical()))
    yield from _comments_sql("VIEW", SCHEMA, projection.table, projection)
    yield sql.SQL("GRANT SELECT ON {} TO {}").format(view, sql.Identifier(READER))


def _column_sql(projection: type[Projection], name: str) -> sql.Composed:
    declared = projection.columns[name]
    balance = projection.balanced
    # A null amount or entry would slip through the sum.
    required = declared.default is not None or (balance is not None and name in (*balance.entry, balance.amount))
    parts = [sql.Identifier(name), _declared_sql(declared.type)]
    if required:
        parts.append(sql.SQL("NOT NULL"))
    if declared.default is not None:
        parts.append(sql.SQL("DEFAULT {}").format(_declared_sql(declared.default)))
    return sql.SQL(" ").join(parts)


def _comments_sql(kind: LiteralString, schema: str, name: str, projection: type[Projection]) -> Iterator[sql.Composed]:
    yield sql.SQL("COMMENT ON " + kind + " {} IS {}").format(relation(name, schema), sql.Literal(projection.meaning()))
    for column, declared in projection.columns.items():
        target = sql.Identifier(schema, name, column)
        yield sql.SQL("COMMENT ON COLUMN {} IS {}").format(target, sql.Literal(declared.meaning))


def _declared_sql(text: str) -> sql.SQL:
    """SQL that stands in a declaration, which is our own code."""
    return sql.SQL(text)


def _script(name: str) -> sql.SQL:
    text = files("ltc_events.projections").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    return sql.SQL(text)


def _declared_columns(projection: type[Projection]) -> list[str]:
    return [f"{name} {declared.type}" for name, declared in projection.columns.items()]


def _present_columns(connection: Connection) -> dict[str, list[str]]:
    """The columns of every table of the read schema, in their order, as `name type`."""
    rows = connection.execute(
        "SELECT c.relname, array_agg(a.attname || ' ' || t.typname ORDER BY a.attnum)"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1",
        (SCHEMA,),
    )
    return dict(rows.fetchall())


def _shown_versions(connection: Connection) -> dict[str, int]:
    """Which version the view of each read table shows."""
    rows = connection.execute(
        "SELECT view_name, max(split_part(table_name, '__v', 2)::int) FROM information_schema.view_table_usage"
        " WHERE view_schema = %s AND table_name LIKE view_name || '\\_\\_v%%' GROUP BY 1",
        (SCHEMA,),
    )
    return dict(rows.fetchall())
