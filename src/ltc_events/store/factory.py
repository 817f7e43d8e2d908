"""Factory of the `eventsourcing` library for our recorders: its applications run on them, and its repository reads the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import eventsourcing.postgres as postgres
from eventsourcing.application import Repository
from eventsourcing.utils import Environment, EnvType, strtobool
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from ltc_events.store.database import LEDGER_SCHEMA, Database, Role
from ltc_events.store.mapper import LedgerMapper, LedgerStream
from ltc_events.store.recorder import LedgerProcessRecorder, LedgerRecorder


class LedgerFactory(postgres.PostgresFactory):
    """For PERSISTENCE_MODULE: any application of the library on a log with gapless positions."""

    application_recorder_class = LedgerRecorder
    process_recorder_class = LedgerProcessRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        if strtobool(self.env.get(self.POSTGRES_ENABLE_DB_FUNCTIONS) or "no"):
            raise OSError(f"{self.POSTGRES_ENABLE_DB_FUNCTIONS} would let readers pass over events: it must be off")
        if self.datastore.originator_id_type != "uuid":
            raise OSError(f"{self.ORIGINATOR_ID_TYPE} must be uuid")


class LedgerDatastore(postgres.PostgresDatastore):
    """The ledger's own database, in one role."""

    def __init__(self, database: Database, role: Role) -> None:
        super().__init__("", "", "", "", "", schema=LEDGER_SCHEMA)
        prepare_library = self.after_connect_func()

        def prepare(connection: Connection[DictRow]) -> None:
            prepare_library(connection)
            database.prepare(connection, role)

        # In place of the pool that was made (and not opened) above.
        self.pool = postgres.ConnectionPool(
            database.conninfo_now,
            connection_class=Connection[DictRow],
            kwargs={"row_factory": dict_row},
            min_size=1,
            max_size=1,
            open=False,
            configure=prepare,
            num_workers=1,
        )


@contextmanager
def open_repository(database: Database, role: Role) -> Iterator[Repository[UUID]]:
    """The library's repository over the ledger.

    `repository.get(id, version=…, projector_func=…)` folds the records of one stream, up to a version if one is given.
    """
    with LedgerDatastore(database, role) as datastore:
        recorder = LedgerRecorder(datastore, events_table_name="events", head_table_name="head")
        yield Repository(LedgerStream(LedgerMapper(), recorder))
