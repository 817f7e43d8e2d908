"""The suites that `eventsourcing` ships for recorders and factories, unmodified, on ours.

Left out: the bases for its dynamic consistency boundaries, which need another kind of recorder and application, and
those for its transcoders, which touch no database.
"""

from collections.abc import Iterator
from typing import Any, ClassVar
from unittest import TestCase

import pytest
from eventsourcing.persistence import AggregateRecorder, Tracking, TrackingRecorder
from eventsourcing.postgres import PostgresAggregateRecorder, PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.tests import application, persistence, projection
from eventsourcing.utils import Environment, get_topic
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ltc_events.store import Database
from ltc_events.store.factory import LedgerFactory
from ltc_events.store.recorder import LedgerProcessRecorder, LedgerRecorder


def environment(database: Database) -> dict[str, str]:
    """What makes the library use our factory on `database`."""
    info = conninfo_to_dict(database.conninfo)
    return {
        "PERSISTENCE_MODULE": "ltc_events.store.factory",
        "POSTGRES_DBNAME": str(info["dbname"]),
        "POSTGRES_HOST": str(info["host"]),
        "POSTGRES_PORT": str(info.get("port") or 5432),
        "POSTGRES_USER": str(info["user"]),
        "POSTGRES_PASSWORD": str(info.get("password") or "none"),
    }


class OnOurs(TestCase):
    """A database of its own for each test, and the environment that leads the library there."""

    env: ClassVar[Any] = {}
    factory: LedgerFactory

    @pytest.fixture(autouse=True)
    def _on_ours(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        settings = environment(database)
        type(self).env = settings
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        self.factory = LedgerFactory(Environment(env=settings))
        yield
        self.factory.close()


class TestAggregateRecorder(OnOurs, persistence.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return self.factory.aggregate_recorder()


class TestApplicationRecorder(OnOurs, persistence.ApplicationRecorderTestCase[LedgerRecorder]):
    def create_recorder(self) -> LedgerRecorder:
        recorder = self.factory.application_recorder()
        assert isinstance(recorder, LedgerRecorder)
        return recorder

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestApplicationRecorderOfTheLedger(TestApplicationRecorder):
    """The same on `ltc.events` itself."""

    def create_recorder(self) -> LedgerRecorder:
        self.factory.datastore.schema = "ltc"
        return LedgerRecorder(self.factory.datastore, events_table_name="events", head_table_name="head")


class TestNonInterleavingNotificationIds(OnOurs, persistence.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> LedgerRecorder:
        recorder = self.factory.application_recorder()
        assert isinstance(recorder, LedgerRecorder)
        return recorder


class TestTrackingRecorder(OnOurs, persistence.TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingRecorder:
        return self.factory.tracking_recorder()


class TestProcessRecorder(OnOurs, persistence.ProcessRecorderTestCase):
    def create_recorder(self) -> LedgerProcessRecorder:
        recorder = self.factory.process_recorder()
        assert isinstance(recorder, LedgerProcessRecorder)
        return recorder


class OtherTrackingRecorder(PostgresTrackingRecorder):
    """A recorder of a user's own."""


class TestFactory(OnOurs, persistence.InfrastructureFactoryTestCase[LedgerFactory]):
    def setUp(self) -> None:
        self.env = Environment("TestCase", env=type(self).env)
        super().setUp()

    def expected_factory_class(self) -> type[LedgerFactory]:
        return LedgerFactory

    def expected_aggregate_recorder_class(self) -> type[PostgresAggregateRecorder]:
        return PostgresAggregateRecorder

    def expected_application_recorder_class(self) -> type[LedgerRecorder]:
        return LedgerRecorder

    def expected_tracking_recorder_class(self) -> type[PostgresTrackingRecorder]:
        return PostgresTrackingRecorder

    def tracking_recorder_subclass(self) -> type[PostgresTrackingRecorder]:
        return OtherTrackingRecorder

    def expected_process_recorder_class(self) -> type[LedgerProcessRecorder]:
        return LedgerProcessRecorder


class EventCounters(PostgresTrackingRecorder, projection.EventCountersView):
    """The view that the library's projection suites count with."""

    _created, _subsequent = "CREATED", "SUBSEQUENT"

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.check_identifier_length(self.tracking_table_name)
        self._table = sql.Identifier(datastore.schema, f"{self.tracking_table_name}_counters")
        create = "CREATE TABLE IF NOT EXISTS {} (name text PRIMARY KEY, counter bigint NOT NULL)"
        self.sql_create_statements.append(sql.SQL(create).format(self._table))

    def get_created_event_counter(self) -> int:
        return self._count(self._created)

    def get_subsequent_event_counter(self) -> int:
        return self._count(self._subsequent)

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._increment(self._created, tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._increment(self._subsequent, tracking)

    def _count(self, name: str) -> int:
        with self.datastore.get_connection() as connection:
            query = sql.SQL("SELECT counter FROM {} WHERE name = %s").format(self._table)
            row = connection.execute(query, (name,)).fetchone()
        return int(row["counter"]) if row else 0

    def _increment(self, name: str, tracking: Tracking) -> None:
        upsert = "INSERT INTO {0} AS c VALUES (%s, 1) ON CONFLICT (name) DO UPDATE SET counter = c.counter + 1"
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(sql.SQL(upsert).format(self._table), (name,))


class TestEventCountersView(OnOurs, projection.EventCountersViewTestCase):
    def construct_event_counters_view(self) -> projection.EventCountersView:
        return self.factory.tracking_recorder(EventCounters)


class TestEventCountersProjection(OnOurs, projection.AggregateEventCountersProjectionTestCase):
    view_class = EventCounters


class TestEventSourcedProjection(OnOurs, projection.EventSourcedProjectionTestCase):
    pass


class TestExampleApplication(OnOurs, application.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(LedgerFactory)


@pytest.mark.filterwarnings("always:'log' is deprecated:DeprecationWarning")  # the suite looks for the warning
class TestApplication(OnOurs, application.ApplicationTestCase):
    pass


class TestWhatTheFactoryRefuses(OnOurs):
    def test_functions_that_let_readers_pass_over_events(self) -> None:
        with pytest.raises(OSError, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
            LedgerFactory({**self.env, "POSTGRES_ENABLE_DB_FUNCTIONS": "y"})

    def test_streams_that_are_not_uuids(self) -> None:
        with pytest.raises(OSError, match="ORIGINATOR_ID_TYPE"):
            LedgerFactory({**self.env, "ORIGINATOR_ID_TYPE": "text"})
