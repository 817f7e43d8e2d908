"""The DDL of a declaration: table, primary key, indexes, comments, guards, view, checkpoint.

Everything is created in the projector's role, which owns it; readers get SELECT.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from psycopg import sql

from ltc_events.projections.catalog.event_source import STORE
from ltc_events.projections.catalog.installed_tables import shown_builds
from ltc_events.projections.catalog.lifecycle import FOLLOWED, PROJECTOR, State, record, states_of
from ltc_events.projections.catalog.skipped_events import left_out
from ltc_events.projections.catalog.views import show
from ltc_events.projections.declaration.builds import Build, named_in_sql, parse_physical
from ltc_events.projections.declaration.errors import DependentsInTheWay, TableDiffers
from ltc_events.projections.declaration.names import READER, SCHEMA, Connection, names, relation
from ltc_events.projections.declaration.projection import Projection, build_of, built
from ltc_events.store.sql_files import Statements, read_sql

_SQL = Statements(__name__)

# One number for "somebody is making read tables": projectors that start together queue up behind it.
_LAYOUT_LOCK = 0x6C746372


def prepare(connection: Connection, projections: Sequence[type[Projection]]) -> list[type[Projection]]:
    """Create what is missing, in one transaction; returns the projections to keep up with the log: each one on every table of
    its version in use, and on none while an operator fills one or has dropped them all.

    A new table starts at the beginning of the store. Raises TableDiffers when a table is not as declared.
    """
    with connection.transaction():
        lock_layout(connection)
        present, shown = _present_columns(connection), shown_builds(connection)
        states = _known_states(connection, present, shown)
        followed: list[type[Projection]] = []
        for projection in projections:
            state_of = {build: state for build, state in states.items() if build[:2] == (projection.table, projection.version)}
            if not state_of:
                _make(connection, projection, shown=projection.table not in shown)
                followed.append(projection)
            for build, state in state_of.items():
                if state in FOLLOWED:
                    followed.append(built(projection, build.build))
                    _compare(followed[-1], present.get(build.physical, []))
        connection.execute(
            _SQL["begin_checkpoints"],
            (STORE, [one.place() for one in followed], [one.version for one in followed]),
        )
    return followed


def lock_layout(connection: Connection) -> None:
    """Lock the creation, switching and dropping of read tables until the transaction ends; creates missing catalog tables."""
    connection.execute(_SQL["lock_layout"], (_LAYOUT_LOCK,))
    _lay_out(connection)


def show_newer(connection: Connection, projections: Iterable[type[Projection]]) -> None:
    """Switch the views of these projections, which have reached the head, from an older version to theirs.

    Not for tables built by an operator (who switches himself), tables that leave out events, or views with dependents in the
    way.
    """
    shown = shown_builds(connection)
    for projection in projections:
        before, build = shown.get(projection.table), build_of(projection)
        if before is None or before.version >= build.version or not left_out(connection, build).is_nothing:
            continue
        with suppress(DependentsInTheWay), connection.transaction():
            lock_layout(connection)
            if states_of(connection, projection.table).get(build) is State.FOLLOWING:
                show(connection, build)
                record(connection, before, State.RETIRED, by=PROJECTOR, reason=f"{build} has caught up with the log")
                record(connection, build, State.SHOWN, by=PROJECTOR, reason="caught up with the log")


def _known_states(connection: Connection, present: Iterable[str], shown: Mapping[str, Build]) -> dict[Build, State]:
    """The states of all builds; tables of releases without states get one."""
    states = states_of(connection)
    for physical in present:
        build = parse_physical(physical)
        if build is not None and build not in states:
            states[build] = State.SHOWN if shown.get(build.name) == build else State.FOLLOWING
            record(connection, build, states[build], by=PROJECTOR, reason="found")
    return states


def _make(connection: Connection, projection: type[Projection], *, shown: bool) -> None:
    for statement in (*table_sql(projection), *index_sql(projection)):
        connection.execute(statement)
    build = build_of(projection)
    if shown:
        show(connection, build)
    record(connection, build, State.SHOWN if shown else State.FOLLOWING, by=PROJECTOR, reason="laid out")


def _compare(projection: type[Projection], found: list[str]) -> None:
    declared = [f"{name} {one.type}" for name, one in projection.columns.items()]
    if found != declared:
        raise TableDiffers(table=projection.physical(), found=", ".join(found), declared=", ".join(declared))


def table_sql(projection: type[Projection], *, keyed: bool = True) -> Iterator[sql.Composed]:
    """The table with its comments and guards, without secondary indexes; without its key too unless `keyed`."""
    table = relation(projection.physical(), projection.schema)
    columns = [_column_sql(projection, name) for name in projection.columns]
    if keyed:
        columns.append(sql.SQL("PRIMARY KEY ({})").format(names(projection.key)))
    # Rows that change keep some room beside them, so that a change stays on its page and leaves the indexes alone.
    room = sql.SQL("" if projection.append_only else " WITH (fillfactor = 80)")
    yield sql.SQL("CREATE TABLE {} ({}){}").format(table, sql.SQL(", ").join(columns), room)
    yield from _comments_sql(projection)
    yield sql.SQL("GRANT SELECT ON {} TO {}").format(table, sql.Identifier(READER))
    if projection.balanced:
        arguments = (projection.balanced.amount, *projection.balanced.entry)
        yield _SQL.compose("refuse_unbalanced", table=table, arguments=sql.SQL(", ").join(map(sql.Literal, arguments)))
        yield _SQL.compose("refuse_change", table=table)
    for name, condition in projection.checks.items():
        trigger = sql.Identifier(f"check_{name}")
        yield _SQL.compose("refuse_row", trigger=trigger, table=table, condition=_declared_sql(condition), check=name)


def key_sql(projection: type[Projection]) -> sql.Composed:
    """The primary key of a table that was created without one."""
    return sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(relation(projection.physical()), names(projection.key))


def index_sql(projection: type[Projection]) -> Iterator[sql.Composed]:
    """The secondary indexes; apart from the table, because a bulk fill is quicker without them."""
    for index in projection.indexes:
        yield sql.SQL("CREATE INDEX ON {} ({})").format(relation(projection.physical(), projection.schema), names(index))


def _column_sql(projection: type[Projection], name: str) -> sql.Composed:
    declared = projection.columns[name]
    balance = projection.balanced
    # A null amount would slip through the sum; a null in an entry stands for something, or for a mistake.
    never_null = () if balance is None else {*balance.entry, balance.amount} - {*balance.nullable}
    required = declared.default is not None or name in never_null
    parts = [sql.Identifier(name), _declared_sql(declared.type)]
    if required:
        parts.append(sql.SQL("NOT NULL"))
    if declared.default is not None:
        parts.append(sql.SQL("DEFAULT {}").format(_declared_sql(declared.default)))
    return sql.SQL(" ").join(parts)


def _comments_sql(projection: type[Projection]) -> Iterator[sql.Composed]:
    table = projection.physical()
    yield sql.SQL("COMMENT ON TABLE {} IS {}").format(relation(table, projection.schema), sql.Literal(projection.meaning()))
    for column, declared in projection.columns.items():
        target = sql.Identifier(projection.schema, table, column)
        yield sql.SQL("COMMENT ON COLUMN {} IS {}").format(target, sql.Literal(declared.meaning))


def _declared_sql(text: str) -> sql.SQL:
    """SQL from a declaration, which is trusted code."""
    return sql.SQL(text)


def _lay_out(connection: Connection) -> None:
    """Create the catalog tables and views, unless they are up to date: replacing a view waits for the transactions of all its
    readers, and blocks others meanwhile."""
    script = named_in_sql(read_sql("ltc_events.projections.catalog", "read_schema"))
    mark = hashlib.sha256(script.encode()).hexdigest()
    ((is_marked,),) = connection.execute(_SQL["is_marked"]).fetchall()
    if is_marked and connection.execute(_SQL["find_mark"], (mark,)).fetchone() is not None:
        return
    connection.execute(sql.SQL(script))
    connection.execute(_SQL["keep_mark"], (mark,))


def _present_columns(connection: Connection) -> dict[str, list[str]]:
    """The columns of every table of the read schema, in order, as `name type`."""
    rows = connection.execute(_SQL["present_columns"], (SCHEMA,))
    return dict(rows.fetchall())
