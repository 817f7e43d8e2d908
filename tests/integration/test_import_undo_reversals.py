"""Each command of a run that another one reverses is reversed, and whatever none reverses is said to stay."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from tests.integration.books import line
from tests.integration.test_import_undo import Imported, lose, worth

from ltc_events.importing import undo as undo_module
from ltc_events.importing.undo import undo, undoing
from ltc_events.schemas.credit_note import ApplyCreditNote, CreditNoteApplied
from ltc_events.schemas.customer import Profile, ProfileUpdated, UpdateProfile
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.opportunity import (
    AdvanceStage,
    AmountChanged,
    ChangeCloseDate,
    ChangeOwner,
    ChangeTitle,
    CloseDateChanged,
    MoveStageBack,
    OpportunityLost,
    OpportunityWon,
    OwnerChanged,
    StageChanged,
    TitleChanged,
)
from ltc_events.schemas.order import OrderPlaced
from ltc_events.schemas.payment import AllocationRequest, PaymentAllocated
from ltc_events.schemas.receivable import InvoiceWrittenOff, WriteOffInvoice
from ltc_events.store import Database, EventStore

STAGES = ("new", "offer", "contract")


class Case(NamedTuple):
    """What is there `before`, what the run does, what takes it back, and what of the state is as it was."""

    event: type
    before: Callable[[Imported], Any]
    done: Callable[[Imported], Any]
    reversed_by: str
    seen: Callable[[Imported], Any]


def nothing(_: Imported) -> None:
    """Nothing is needed."""


def deal(books: Imported) -> None:
    books.publish_stages(*STAGES)
    books.open("deal", "100")


def offered(books: Imported) -> None:
    deal(books)
    books.do(AdvanceStage(stage="offer"), "deal")


def dated(books: Imported) -> None:
    deal(books)
    books.do(ChangeCloseDate(expected_close_on=date(2099, 1, 1), reason="x"), "deal")


def owned(books: Imported) -> None:
    deal(books)
    books.do(ChangeOwner(owner="ann"), "deal")


def paid_in(books: Imported) -> None:
    books.bill("invoice", "100")
    books.receive("payment", "60")


def credited(books: Imported) -> None:
    books.bill("invoice", "100")
    books.bill("paid", "50")
    books.pay("payment", "50", ("paid", "50"))
    books.credit("note", "paid")


def apply_note(books: Imported) -> None:
    part = AllocationRequest(invoice_id=books.id("invoice"), amount=Decimal(30))
    books.do(ApplyCreditNote(allocations=(part,)), "note")


def of_deal(name: str) -> Callable[[Imported], Any]:
    return lambda books: getattr(books.state("deal"), name)


def balance(books: Imported) -> Any:
    return books.state("invoice").balance


CASES = {
    "profile": Case(
        ProfileUpdated,
        nothing,
        lambda books: books.do(UpdateProfile(profile=Profile(name="Mill Ltd")), books.customer),
        "customer.update_profile.v1",
        lambda books: books.state(books.customer).profile.name,
    ),
    "amount": Case(
        AmountChanged, deal, lambda books: books.do(worth("200"), "deal"), "opportunity.change_amount.v1", of_deal("amount")
    ),
    "close date": Case(
        CloseDateChanged,
        dated,
        lambda books: books.do(ChangeCloseDate(expected_close_on=date(2099, 5, 1), reason="x"), "deal"),
        "opportunity.change_close_date.v1",
        of_deal("expected_close_on"),
    ),
    "title": Case(
        TitleChanged,
        deal,
        lambda books: books.do(ChangeTitle(title="Two mills"), "deal"),
        "opportunity.change_title.v1",
        of_deal("title"),
    ),
    "owner": Case(
        OwnerChanged,
        owned,
        lambda books: books.do(ChangeOwner(owner="ben"), "deal"),
        "opportunity.change_owner.v1",
        of_deal("owner"),
    ),
    "stage on": Case(
        StageChanged,
        deal,
        lambda books: books.do(AdvanceStage(stage="offer"), "deal"),
        "opportunity.move_stage_back.v1",
        of_deal("stage"),
    ),
    "stage back": Case(
        StageChanged,
        offered,
        lambda books: books.do(MoveStageBack(stage="new", reason="x"), "deal"),
        "opportunity.advance_stage.v1",
        of_deal("stage"),
    ),
    "won": Case(OpportunityWon, deal, lambda books: books.close_deal("deal"), "opportunity.reopen.v1", of_deal("status")),
    "lost": Case(OpportunityLost, deal, lambda books: books.do(lose(), "deal"), "opportunity.reopen.v1", of_deal("status")),
    "order": Case(
        OrderPlaced,
        nothing,
        lambda books: books.order("order", line(1, "1", "100")),
        "order.cancel.v1",
        lambda books: books.state("order") is None or books.state("order").cancelled,
    ),
    "invoice": Case(
        InvoiceIssued,
        lambda books: books.order("order", line(1, "1", "100")),
        lambda books: books.invoice("invoice", "order"),
        "credit_note.issue.v1",
        lambda books: Decimal(0) if books.state("invoice") is None else balance(books),
    ),
    "allocation": Case(
        PaymentAllocated,
        paid_in,
        lambda books: books.allocate("payment", ("invoice", "60")),
        "payment.unallocate.v1",
        balance,
    ),
    "credit note": Case(CreditNoteApplied, credited, apply_note, "credit_note.unapply.v1", balance),
    "write-off": Case(
        InvoiceWrittenOff,
        lambda books: books.bill("invoice", "100"),
        lambda books: books.do(WriteOffInvoice(reason="gone"), "invoice"),
        "invoice.reverse_write_off.v1",
        balance,
    ),
}


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Imported]:
    books = Imported(database, event_store)
    yield books
    books.close()


def test_there_is_a_case_for_each_reversal() -> None:
    assert {case.event for case in CASES.values()} == set(undo_module._REVERSE)


@pytest.mark.parametrize("name", CASES)
def test_what_a_run_did_is_taken_back_and_only_once(books: Imported, name: str) -> None:
    case = CASES[name]
    case.before(books)
    was = case.seen(books)
    with books.importing():
        case.done(books)
    assert case.seen(books) != was
    plan = undoing(books.store, str(books.imported))
    assert [one["type"] for one in plan.commands] == [f"ltc.{case.reversed_by}"]
    assert not plan.stays
    done = undo(books.pipeline, plan)
    assert (dict(done.accepted), done.refused) == ({case.reversed_by: 1}, [])
    assert case.seen(books) == was
    head = books.store.head()
    again = undoing(books.store, str(books.imported))
    assert (again.commands, dict(again.done)) == ([], {case.reversed_by: 1})
    assert undo(books.pipeline, again).accepted == done.accepted
    assert books.store.head() == head


def test_what_nothing_takes_back_is_said_and_stays(books: Imported) -> None:
    """A registration, a deal that was opened and money that came in: counted by event, and no command is sent."""
    with books.importing():
        customer = books.register("Newcomer")
        books.open("deal", "100")
        books.receive("payment", "60")
    plan = undoing(books.store, str(books.imported))
    assert plan.commands == []
    assert dict(plan.stays) == {"customer.registered.v1": 1, "opportunity.opened.v1": 1, "payment.received.v1": 1}
    head = books.store.head()
    assert undo(books.pipeline, plan).accepted == {}
    assert books.store.head() == head
    assert books.state(customer) is not None
