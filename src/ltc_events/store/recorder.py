"""The library's recorders on a log of ours: gapless positions from a head row, events by COPY.

The library numbers events by a sequence, and locks the whole table so that no reader skips a position that is committed late.
Here the head row is that lock, and positions are assigned from it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from eventsourcing.persistence import InterfaceError, OperationalError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore, PostgresProcessRecorder
from eventsourcing.utils import retry
from psycopg import Cursor, sql
from psycopg.rows import DictRow

from ltc_events.store import copy_format
from ltc_events.store.database import log_layout, take_positions
from ltc_events.store.mapper import LedgerEvent
from ltc_events.store.queries import query

_AGAIN = retry((InterfaceError, OperationalError), max_attempts=10, wait=0.2)


class LedgerRecorder(PostgresApplicationRecorder):
    """Events of all streams in one log `{schema}.{events_table_name}`, with the head row in `head_table_name`.

    Reads and writes LedgerEvent; any other StoredEvent is stored without a customer.
    """

    def __init__(
        self,
        datastore: PostgresDatastore,
        *,
        events_table_name: str = "stored_events",
        head_table_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(datastore, events_table_name=events_table_name, **kwargs)
        schema, head = datastore.schema, head_table_name or f"{events_table_name}_head"
        self.check_identifier_length(f"{events_table_name}_customer_index")
        self.check_identifier_length(take_positions(head))
        self.channel_name = f"{schema}_{events_table_name}"
        theirs = slice(self.create_table_statement_index, self.create_insert_function_statement_index + 1)
        self.sql_create_statements[theirs] = log_layout(schema, events_table_name, head)
        self._names = {
            "schema": sql.Identifier(schema),
            "events": sql.Identifier(events_table_name),
            "head": sql.Identifier(head),
            "take_positions": sql.Identifier(take_positions(head)),
        }
        self.select_events_statement = query("recorded_events", columns=query("recorded_columns"), **self._names)
        self.select_notifications_statement = query("recorded_notifications", columns=query("recorded_columns"), **self._names)
        self.max_notification_id_statement = query("max_position", **self._names)

    @_AGAIN
    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Store events, and what `kwargs` say beside them, in one transaction; their positions."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_events(cursor, stored_events, **kwargs)
            return self._append(cursor, stored_events) if stored_events else None

    @_AGAIN
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one stream in version order."""
        order = sql.SQL("ORDER BY version DESC" if desc else "ORDER BY version")
        statement = self.select_events_statement + order + sql.SQL(" LIMIT %(limit)s")
        params = {"id": originator_id, "after": gt, "upto": lte, "limit": limit}
        return self._select(statement, params)

    @_AGAIN
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[LedgerEvent]:
        """At most `limit` events in position order."""
        after = 0 if start is None else start - inclusive_of_start
        params = {"after": after, "upto": stop, "types": list(topics) or None, "limit": limit}
        return self._select(self.select_notifications_statement, params)

    def _append(self, cursor: Cursor[DictRow], stored_events: Sequence[StoredEvent]) -> list[int]:
        now = datetime.now(UTC)
        packed = copy_format.pack_events(_row(LedgerEvent.around(one, now)) for one in stored_events)
        (head,) = cursor.execute(query("take_positions_for_copy", count=len(packed), check=sql.SQL(""), **self._names)).fetchall()
        with cursor.copy(query("copy_events", **self._names)) as copy:
            copy.write(copy_format.place_events(packed, head["base"], head["recorded"]))
        self._notify_channel(cursor)
        return list(range(head["base"] + 1, head["base"] + len(packed) + 1))

    def _select(self, statement: sql.Composed, params: dict[str, Any]) -> list[LedgerEvent]:
        with self.datastore.get_connection() as connection, connection.cursor(binary=True) as cursor:
            return [LedgerEvent(**row) for row in cursor.execute(statement, params, prepare=True).fetchall()]


class LedgerProcessRecorder(LedgerRecorder, PostgresProcessRecorder):
    """A recorder that also tracks how far it has processed another log, in the same transaction."""


def _row(one: LedgerEvent) -> copy_format.EventRow:
    return (
        UUID(str(one.originator_id)),
        one.originator_version,
        one.topic,
        one.state,
        one.customer_id,
        one.occurred_at,
        one.effective_on,
        one.command_id,
        one.correlation_id,
        one.causation_id,
        one.actor,
    )
