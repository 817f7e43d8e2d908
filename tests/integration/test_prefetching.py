"""A batch looks up at once what its commands say that they touch: so many questions, however many commands it has."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.schemas.base import COMMANDS, Command, Id
from ltc_events.schemas.envelope import document
from ltc_events.schemas.opportunity import OpenOpportunity
from ltc_events.schemas.record import Record
from ltc_events.simulation import simulate
from ltc_events.store import Database, EventStore, Role

BATCH = 100


class Asked(EventStore):
    """A store that keeps which questions about streams it was asked."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, Role.WRITER)
        self.single: list[UUID] = []
        self.together = 0

    def stream(self, id: UUID, *, after_version: int = 0) -> list[Record]:
        self.single.append(id)
        return super().stream(id, after_version=after_version)

    def load(self, ids: Sequence[UUID]) -> dict[UUID, list[Record]]:
        self.together += 1
        return super().load(ids)

    def load_after(self, versions: Mapping[UUID, int]) -> dict[UUID, list[Record]]:
        self.together += 1
        return super().load_after(versions)

    def streams_of(self, customers: Sequence[UUID], type: str) -> dict[UUID, list[UUID]]:
        self.together += 1
        return super().streams_of(customers, type)


@pytest.fixture
def store(database: Database) -> Asked:
    return Asked(database)


def test_whatever_a_company_does_is_looked_up_with_the_batch(store: Asked) -> None:
    documents = list(simulate(11, 25, 365))
    seen: dict[UUID, str] = {}
    with store:
        for first in range(0, len(documents), BATCH):
            store.together = 0
            # Another worker each time, with an empty cache: policies, the batch's streams, and the streams of listed customers.
            CommandPipeline(store, SystemClock()).submit(documents[first : first + BATCH])
            assert store.together <= 4
            seen |= dict.fromkeys(store.single, f"of commands {first} to {first + BATCH}")
    assert not seen


def test_a_command_declares_fields_that_it_has() -> None:
    with pytest.raises(TypeError, match="touches what is none of its fields: ordr_id"):

        class Misspelt(Command):
            touches: ClassVar[tuple[str, ...]] = ("ordr_id",)
            order_id: Id

    assert "Misspelt" not in {one.__name__ for one in COMMANDS.values()}


@pytest.mark.parametrize("count", [1, 60])
def test_the_questions_of_a_batch_do_not_grow_with_its_commands(store: Asked, count: int) -> None:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    deal = OpenOpportunity(
        title="pumps", amount=Decimal(1), currency="EUR", owner="ann", effective_on=date(2026, 3, 2), occurred_at=moment
    )
    with store:
        pipeline = CommandPipeline(store, SystemClock())
        given = [
            document(deal, command_id=uuid4(), subject=uuid4(), customer_id=uuid4(), source="test", time=moment)
            for _ in range(count)
        ]
        pipeline.submit(given)
        assert (store.together, store.single) == (2, [])
