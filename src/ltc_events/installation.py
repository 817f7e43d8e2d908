"""Lay out what the settings name: the ledger, the read tables, the notary's key and the topics. Safe to repeat."""

from typing import Any, NamedTuple

from ltc_events.bootstrap.services import Services
from ltc_events.projections.catalog.ddl import prepare
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Role


class TopicLayout(NamedTuple):
    """How topics are made that are not there yet."""

    partitions: int
    replicas: int | None = None
    """Brokers that keep a message; None: 3, if there are three."""
    in_sync: int | None = None
    """Brokers that must have it before it counts; None: 2 of 3."""


class Installation(NamedTuple):
    """What is there now."""

    database: str
    """Where it is, without credentials."""
    events: int
    read_tables: int
    topics_made: list[str]
    notary_key: str | None
    """The file, where its key was made or put into the ledger."""

    def document(self) -> dict[str, Any]:
        """As JSON, beside `initialised`."""
        return {"initialised": True, **self._asdict()}


def install(
    services: Services, topics: TopicLayout | None = None, administrator: str | None = None, *, hand_over: bool = False
) -> Installation:
    """Lay out the ledger and the read tables, and with a layout the topics; what is there stays.

    With an `administrator`, policy `access` is enforced from the beginning; one who is not the principal of these services is a
    `hand_over`. Raises NoBus where topics are asked for without one,
    BusUnreachable, StoreError, AlreadyAdministered, AccessNotChanged.
    """
    topics_made = _make_topics(services, topics) if topics else []
    services.database.initialise()
    with services.database.connect(Role.PROJECTOR, autocommit=True) as connection:
        prepare(connection, PROJECTIONS)
    notary_key = _prepare_notary(services)
    if administrator is not None:
        from ltc_events.application.access_administration import ClockRights, appoint
        from ltc_events.scheduling.duties import CLOCK, CLOCK_COMMANDS, SOURCE

        over_kafka = (services.bus.of_everybody.sender.text,) if services.has_bus else ()
        clock = ClockRights((CLOCK.text, *over_kafka), SOURCE, CLOCK_COMMANDS)
        appoint(services.store(Role.WRITER), services.pipeline(), administrator, clock, hand_over=hand_over)
    head, _ = services.store(Role.PROJECTOR).head()
    where = f"the embedded server in {services.settings.home}" if services.is_embedded else "LTC_DATABASE_URL"
    return Installation(where, head, len(PROJECTIONS), topics_made, notary_key)


def _prepare_notary(services: Services) -> str | None:
    """The file with the notary's key, made where the embedded server has none, or where a place for it is given."""
    if not services.is_embedded and services.settings.notary_key_file is None:
        return None
    from ltc_events.audit.first_key import ensure_key

    file = services.settings.notary_key
    return str(file) if ensure_key(services.database, file) else None


def _make_topics(services: Services, layout: TopicLayout) -> list[str]:
    from ltc_events.bus.topic_creation import create_topics

    return create_topics(services.bus, layout.partitions, replicas=layout.replicas, in_sync=layout.in_sync)
