"""What a run did is taken back whole, what others did since is left to them, and what was refused can be tried again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.integration.books import DAY, Books

from ltc_events.aggregates.policies import policy_id
from ltc_events.application.batch import fold
from ltc_events.importing import DataUnusable
from ltc_events.importing.runs import run_id
from ltc_events.importing.undo import Undone, undo, undoing
from ltc_events.schemas.base import Command
from ltc_events.schemas.credit_note import ApplyCreditNote
from ltc_events.schemas.customer import Profile, UpdateProfile
from ltc_events.schemas.envelope import document
from ltc_events.schemas.opportunity import (
    AdvanceStage,
    ChangeAmount,
    ChangeCloseDate,
    LoseOpportunity,
    LossReason,
    MoveStageBack,
    ReopenOpportunity,
)
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.payment import AllocationRequest
from ltc_events.schemas.policy import PublishPolicy, Stage, Stages
from ltc_events.store import Database, EventStore


class Imported(Books):
    """Books in which some commands are those of one run of an import. All is dated today, as what takes it back is."""

    imported = run_id("undo/crm", datetime.now(UTC), 1)
    run: UUID | None = None

    @contextmanager
    def importing(self) -> Iterator[None]:
        """The commands within are of the run."""
        self.run = self.imported
        yield
        self.run = None

    def send(self, command: Command, subject: str | UUID, *, on: date = DAY, customer: UUID | None = None) -> Outcome:
        id = subject if isinstance(subject, UUID) else self.id(subject)
        message = document(command, command_id=uuid4(), subject=id, customer_id=customer or self.customer, source="test")
        [outcome] = self.pipeline.submit([message | ({"correlationid": str(self.run)} if self.run else {})])
        assert isinstance(outcome, Outcome)
        return outcome

    def publish_stages(self, *names: str, **more: Any) -> None:
        stages = [Stage(name=name, probability=Decimal(10 * place), **more) for place, name in enumerate(names, 1)]
        self.do(
            PublishPolicy(content=Stages(kind="stages", stages=tuple(stages))), policy_id("stages"), customer=policy_id("stages")
        )

    def undo(self) -> Undone:
        return undo(self.pipeline, undoing(self.store, str(self.imported)))

    def state(self, subject: str | UUID) -> Any:
        return fold(self.store.stream(subject if isinstance(subject, UUID) else self.id(subject))).state


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Imported]:
    books = Imported(database, event_store)
    yield books
    books.close()


def worth(amount: str) -> ChangeAmount:
    return ChangeAmount(amount=Decimal(amount), reason="as the export says")


def lose() -> LoseOpportunity:
    return LoseOpportunity(reason=LossReason.OTHER, note="not in the export")


def test_all_invoices_that_one_command_put_money_against_are_open_again(books: Imported) -> None:
    """Given a payment and a credit note, each put against two invoices by one command, then both are taken back from both."""
    for invoice in ("one", "two", "paid"):
        books.bill(invoice, "100")
    books.pay("before", "100", ("paid", "100"))
    books.credit("note", "paid")
    books.receive("payment", "150")
    parts = tuple(AllocationRequest(invoice_id=books.id(invoice), amount=Decimal(20)) for invoice in ("one", "two"))
    with books.importing():
        books.allocate("payment", ("one", "80"), ("two", "70"))
        books.do(ApplyCreditNote(allocations=parts), "note")
    assert [str(books.state(invoice).balance) for invoice in ("one", "two")] == ["0.00", "10.00"]
    done = books.undo()
    assert done.refused == []
    assert done.accepted == {"payment.unallocate.v1": 2, "credit_note.unapply.v1": 2}
    assert [str(books.state(invoice).balance) for invoice in ("one", "two")] == ["100.00", "100.00"]


def test_what_others_changed_since_stays_and_is_counted(books: Imported) -> None:
    """Also where they came back to a value of the run; what only the run changed is set to what it was."""
    for deal in ("theirs", "ours", "lost"):
        books.open(deal, "100")
    with books.importing():
        for deal in ("theirs", "ours"):
            books.do(ChangeCloseDate(expected_close_on=date(2099, 5, 1), reason="x"), deal)
            books.do(ChangeCloseDate(expected_close_on=date(2099, 6, 1), reason="x"), deal)
            books.do(worth("150"), deal)
            books.do(worth("200"), deal)
        books.do(lose(), "lost")
        books.do(UpdateProfile(profile=Profile(name="Mill Ltd", email="wrong@mill.example")), books.customer)
    books.do(worth("250"), "theirs")
    books.do(worth("150"), "theirs")
    books.do(ReopenOpportunity(reason="not lost"), "lost")
    books.do(lose(), "lost")
    books.do(UpdateProfile(profile=Profile(email="right@mill.example")), books.customer)
    plan = undoing(books.store, str(books.imported))
    assert plan.changed_since == {
        "opportunity.amount_changed.v1": 2, "opportunity.lost.v1": 1, "customer.profile_updated.v1": 1,
    }  # fmt: skip
    assert undo(books.pipeline, plan).refused == []
    assert (books.state("theirs").amount, books.state("ours").amount) == (150, 100)
    assert books.state("theirs").expected_close_on == books.state("ours").expected_close_on == date(2099, 5, 1)
    assert books.state("lost").status == "lost"
    profile = books.state(books.customer).profile
    assert (profile.name, profile.email) == ("Mill & Sons", "right@mill.example")


@pytest.mark.parametrize("batch", [1, 500])
def test_what_others_change_while_it_is_taken_back_stays(books: Imported, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Given a plan, when somebody changes the deal before it is carried out, then nothing of the plan overwrites that."""
    monkeypatch.setattr("ltc_events.importing.undo._BATCH", batch)
    books.open("deal", "100")
    with books.importing():
        books.do(worth("150"), "deal")
        books.do(worth("200"), "deal")
    plan = undoing(books.store, str(books.imported))
    books.do(worth("250"), "deal")
    assert len(undo(books.pipeline, plan).refused) == 2
    assert books.state("deal").amount == 250
    assert undoing(books.store, str(books.imported)).changed_since.total() == 2


@pytest.mark.parametrize("batch", [1, 500])
def test_what_is_refused_of_a_thing_is_not_in_the_way_of_the_rest(
    books: Imported, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Given a stage that policy no longer knows, it cannot be gone back to; the amount is taken back all the same."""
    monkeypatch.setattr("ltc_events.importing.undo._BATCH", batch)
    books.publish_stages("new", "offer")
    books.open("deal", "100")
    with books.importing():
        books.do(worth("200"), "deal")
        books.do(AdvanceStage(stage="offer"), "deal")
    books.publish_stages("first", "offer")
    done = books.undo()
    assert ([one[0] for one in done.refused], books.state("deal").amount) == (["opportunity.move_stage_back.v1"], 100)


def test_what_was_refused_is_not_tried_again_behind_what_came_before_it(books: Imported) -> None:
    """Given a step back that cannot be reversed when the step before it is, then the deal stays where it was before both."""
    books.publish_stages("new", "offer", "contract")
    books.open("deal", "100")
    with books.importing():
        books.do(AdvanceStage(stage="contract"), "deal")
        books.do(MoveStageBack(stage="offer", reason="x"), "deal")
    books.publish_stages("new", "offer", "contract", exit_criteria=("signed",))
    assert [one[0] for one in books.undo().refused] == ["opportunity.advance_stage.v1"]
    assert books.state("deal").stage == "new"
    books.publish_stages("new", "offer", "contract")
    assert books.undo().refused == []
    assert books.state("deal").stage == "new"


def test_what_was_refused_can_be_tried_again(books: Imported) -> None:
    """Given a deal that is closed, its amount is not taken back; when it is open again, it is, and only once."""
    books.open("deal", "100")
    books.open("other", "100")
    with books.importing():
        books.do(worth("200"), "deal")
        books.do(worth("200"), "other")
    books.do(lose(), "deal")
    first = books.undo()
    assert (first.accepted.total(), len(first.refused)) == (1, 1)
    assert len(books.undo().refused) == 1
    books.do(ReopenOpportunity(reason="goes on"), "deal")
    again = books.undo()
    assert (again.accepted, again.refused) == ({"opportunity.change_amount.v1": 2}, [])
    assert books.state("deal").amount == 100
    books.do(worth("300"), "deal")
    head = books.store.head()
    assert books.undo() == again
    assert books.store.head() == head


@pytest.mark.parametrize("run", ["ffffffff-ffff-4fff-bfff-ffffffffffff", "ffffffff-ffff-8fff-bfff-ffffffffffff"])
def test_an_id_that_is_no_run_is_told(event_store: EventStore, run: str) -> None:
    with pytest.raises(DataUnusable, match="is not the id of a run"):
        undoing(event_store, run)
