"""Receivables aging, DSO and collections, against figures worked out by hand and by others."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.integration.books import DAY, Books

from ltc_events.aggregates.policies import policy_id
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.reports.errors import InvalidParameter
from ltc_events.schemas.claim import ClaimKind, RaiseClaim
from ltc_events.schemas.credit_note import ApplyCreditNote, RefundCreditNote
from ltc_events.schemas.payment import RefundPayment, ReturnPayment, UnallocatePayment
from ltc_events.schemas.policy import Dunning, PublishPolicy
from ltc_events.schemas.receivable import DisputeInvoice, PromisePayment, ResolveDispute, SendDunningNotice, WriteOffInvoice
from ltc_events.store import Database, EventStore, Role

THIRTY_FIFTY_TWENTY = (("30", 30), ("50", 60), ("20", 90))
AMOUNTS = ("invoiced", "paid", "credited", "outstanding")
BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_120", "over_120")


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    books = Books(database, event_store)
    yield books
    books.close()


def day(number: int) -> date:
    return DAY + timedelta(days=number)


class TestVectorsOfErpNext:
    """erpnext_ar in ../shared/data/vectors/external_vectors.json."""

    def test_terms_make_a_row_per_instalment(self, books: Books) -> None:
        books.bill("I", "100", *THIRTY_FIFTY_TWENTY)
        assert books.rows("receivables-aging", "invoiced", "due_on") == [["30", day(30)], ["50", day(60)], ["20", day(90)]]

    def test_a_payment_goes_against_what_is_due_first(self, books: Books) -> None:
        books.bill("I", "100", *THIRTY_FIFTY_TWENTY)
        books.pay("P", "40")
        columns = ("invoiced", "paid", "outstanding")
        assert books.rows("receivables-aging", *columns) == [["50", "10", "40"], ["20", "0", "20"]]

    def test_a_credit_note_beyond_what_is_owed_stands_alone(self, books: Books) -> None:
        books.bill("I", "100", *THIRTY_FIFTY_TWENTY)
        books.pay("P", "100")
        books.credit("C", "I")
        rows = books.rows("receivables-aging", "document", "number", *AMOUNTS)
        assert rows == [["credit_note", "CN-2026-000001", "0", "0", "100", "-100"]]

    def test_of_a_credit_note_on_a_part_paid_invoice_stands_alone_what_exceeds_it(self, books: Books) -> None:
        books.bill("I", "100", *THIRTY_FIFTY_TWENTY)
        books.pay("P", "40")
        books.credit("C", "I")
        assert books.rows("receivables-aging", "document", "outstanding") == [["credit_note", "-40"]]

    def test_a_credit_note_is_used_for_another_invoice_and_paid_out(self, books: Books) -> None:
        books.bill("I", "100")
        books.pay("P", "100")
        books.credit("C", "I", on=day(1))
        books.bill("J", "60", on=day(1))
        books.do(ApplyCreditNote(), "C", on=day(2))
        known = books.do(RefundCreditNote(amount=Decimal(30), reason="asked for"), "C", on=day(3))
        columns = ("document", *AMOUNTS)
        alone = [["credit_note", "0", "0", "100", "-100"], ["invoice", "60", "0", "0", "60"]]
        assert sorted(books.rows("receivables-aging", *columns, as_of=day(1))) == alone
        assert books.rows("receivables-aging", *columns, as_of=day(2)) == [["credit_note", "0", "0", "40", "-40"]]
        assert books.rows("receivables-aging", *columns, as_of=day(3)) == [["credit_note", "0", "0", "10", "-10"]]
        books.do(RefundCreditNote(reason="the rest"), "C", on=day(3))
        assert books.rows("receivables-aging", *columns, as_of=day(3)) == []
        assert books.rows("receivables-aging", *columns, as_of=day(3), known_at=known) == [["credit_note", "0", "0", "10", "-10"]]
        assert books.rows("dso", "credit_sales", as_of=day(3)) == [["60"]]
        story = explain_invoice(books.store, "INV-2026-000002", day(3), books.store.head()[0])
        assert (story.balance, story.broken) == (0, [])
        assert "Credit note CN-2026-000001, of another invoice, applied" in [node.text for node in story.root.walk()]
        story = explain_invoice(books.store, "INV-2026-000001", day(3), books.store.head()[0])
        used = [(node.text, node.amount) for node in story.root.walk() if node.text.startswith(("Put against", "Refunded"))]
        assert used == [("Put against another invoice", 60), ("Refunded: asked for", 30), ("Refunded: the rest", 10)]
        assert story.broken == []

    def test_an_unpaid_invoice_that_is_credited_leaves_nothing(self, books: Books) -> None:
        books.bill("I", "100", *THIRTY_FIFTY_TWENTY)
        books.credit("C", "I")
        assert books.rows("receivables-aging", *AMOUNTS) == []

    def test_a_payment_and_then_a_credit_note(self, books: Books) -> None:
        books.bill("I", "200", *THIRTY_FIFTY_TWENTY)
        books.pay("P", "40")
        columns = ("invoiced", "paid", "outstanding")
        assert books.rows("receivables-aging", *columns) == [["60", "40", "20"], ["100", "0", "100"], ["40", "0", "40"]]
        books.credit("C", "I", "100")
        assert books.rows("receivables-aging", *AMOUNTS) == [["100", "0", "80", "20"], ["40", "0", "0", "40"]]

    def test_an_advance_is_a_negative_row(self, books: Books) -> None:
        books.receive("P", "1000")
        assert books.rows("receivables-aging", "document", "number", *AMOUNTS) == [["payment", "P", "0", "1000", "0", "-1000"]]

    def test_payments_and_returns_after_the_date_are_in_the_future(self, books: Books) -> None:
        books.bill("I", "100")
        books.pay("P", "80", on=day(1))
        books.credit("C", "I", "10", on=day(1))
        assert books.rows("receivables-aging", "paid", "outstanding", "remaining", "future") == [["0", "100", "10", "90"]]

    def test_a_full_payment_in_the_future(self, books: Books) -> None:
        books.bill("I", "100")
        books.pay("P", "100", on=day(1))
        assert books.rows("receivables-aging", "invoiced", "outstanding", "remaining", "future") == [["100", "100", "0", "100"]]

    def test_an_overpayment_in_the_future(self, books: Books) -> None:
        books.bill("I", "100")
        books.pay("P", "110", on=day(1))
        rows = books.rows("receivables-aging", "invoiced", "paid", "outstanding", "remaining", "future")
        # What was not received by the date is not unapplied cash of that date: there it is 10 of the future.
        assert rows == [["0", "0", "0", "-10", "10"], ["100", "0", "100", "0", "100"]]

    def test_totals_by_party(self, books: Books) -> None:
        books.bill("I", "100")
        books.bill("J", "85")
        result = books.result("receivables-aging", per="customer")
        assert [row[0] for row in result.rows] == ["Mill & Sons"]
        assert result.totals["outstanding"] == {"EUR": 185}
        assert books.rows("receivables-aging", "outstanding", "number", per="customer") == [["185", None]]


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (120, 4), (121, 5), (1000, 5)],
)
def test_buckets_are_inclusive(books: Books, days: int, bucket: int) -> None:
    books.bill("I", "100", ("100", 10))
    expected = ["100" if index == bucket else "0" for index in range(6)]
    assert books.rows("receivables-aging", "days", *BUCKETS, as_of=day(10 + days)) == [[days, *expected]]
    assert books.rows("receivables-aging", "days", *BUCKETS, as_of=day(days), basis="invoice") == [[days, *expected]]


def test_unapplied_cash_ages_from_its_own_date(books: Books) -> None:
    books.receive("P", "50", on=day(5))
    columns = ("document", "days", "days_1_30", "outstanding")
    assert books.rows("receivables-aging", *columns, as_of=day(10)) == [["payment", 5, "-50", "-50"]]


def test_a_payment_that_is_put_against_an_invoice_later(books: Books) -> None:
    books.bill("I", "100")
    books.receive("P", "100", on=day(1))
    books.allocate("P", on=day(20))
    columns = ("document", "paid", "outstanding", "future", "remaining")
    before = [["payment", "100", "-100", "-100", "0"], ["invoice", "0", "100", "100", "0"]]
    assert books.rows("receivables-aging", *columns, as_of=day(10)) == before
    assert books.rows("receivables-aging", *columns, as_of=day(20)) == []


def test_a_back_dated_payment_leaves_what_was_reported_before(books: Books) -> None:
    books.bill("I", "100")
    known = books.catch_up()
    seen = books.report("receivables-aging", day(40))
    books.pay("P", "60", on=day(3))
    assert books.report("receivables-aging", day(40), known) == seen
    assert books.rows("receivables-aging", "paid", "outstanding", as_of=day(40)) == [["60", "40"]]
    assert books.rows("receivables-aging", "paid", "outstanding", as_of=day(40), known_at=known) == [["0", "100"]]
    assert books.rows("dso", "receivables", as_of=day(40), known_at=known) == [["100"]]
    assert books.rows("dso", "receivables", as_of=day(40)) == [["40"]]


def test_a_returned_payment_opens_its_instalments_again(books: Books) -> None:
    books.bill("I", "100", *THIRTY_FIFTY_TWENTY)
    books.pay("P", "40", on=day(1))
    books.do(ReturnPayment(reason="no funds"), "P", on=day(9))
    columns = ("instalment", "paid", "outstanding", "future", "remaining")
    assert books.rows("receivables-aging", *columns, as_of=day(8)) == [
        [1, "30", "0", "-30", "30"],
        [2, "10", "40", "-10", "50"],
        [3, "0", "20", "0", "20"],
    ]
    assert books.rows("receivables-aging", *columns[:3], as_of=day(9)) == [[1, "0", "30"], [2, "0", "50"], [3, "0", "20"]]


def test_what_a_return_opens_again_later_remains(books: Books) -> None:
    """Settled as of the date, so nothing is outstanding; but it is known that the bank took the money back."""
    books.bill("I", "178.51")
    books.bill("J", "178.50", ("100", 60))
    books.pay("P", "200", on=day(1))
    books.do(ReturnPayment(reason="no funds"), "P", on=day(9))
    columns = ("number", "paid", "outstanding", "future", "remaining")
    assert books.rows("receivables-aging", *columns, as_of=day(8)) == [
        ["INV-2026-000001", "178.51", "0", "-178.51", "178.51"],
        ["INV-2026-000002", "21.49", "157.01", "-21.49", "178.5"],
    ]
    totals = books.result("receivables-aging", day(8)).totals
    assert (totals["outstanding"], totals["remaining"]) == ({"EUR": Decimal("157.01")}, {"EUR": Decimal("357.01")})
    known = books.store.head()[0] - 6
    assert books.rows("receivables-aging", "number", as_of=day(8), known_at=known) == [["INV-2026-000002"]]
    assert books.rows("receivables-aging", *columns[1:], as_of=day(9)) == [
        ["0", "178.51", "0", "178.51"],
        ["0", "178.5", "0", "178.5"],
    ]


def test_what_is_billed_later_is_not_owed_yet(books: Books) -> None:
    books.bill("I", "100", on=day(5))
    books.pay("P", "30", on=day(6))
    assert books.rows("receivables-aging", "outstanding", as_of=day(4)) == []
    books.receive("Q", "20", on=day(3))
    books.allocate("Q", on=day(6))
    columns = ("document", "outstanding", "future", "remaining")
    assert books.rows("receivables-aging", *columns, as_of=day(4)) == [["payment", "-20", "-20", "0"]]


def test_what_is_claimed_later_is_not_owed_yet(books: Books) -> None:
    books.bill("I", "100", on=day(1))
    fee = RaiseClaim(
        kind=ClaimKind.DUNNING_FEE,
        invoice_id=books.id("I"),
        instalment=1,
        amount=Decimal(5),
        reason="lump sum",
        effective_on=day(60),
    )
    books.do(fee, "fee", on=day(60))
    columns = ("document", "outstanding", "remaining")
    assert books.rows("receivables-aging", *columns, as_of=day(59)) == [["invoice", "100", "100"]]
    assert books.rows("receivables-aging", *columns, as_of=day(60)) == [["invoice", "100", "100"], ["claim", "5", "5"]]


def test_each_kind_of_item_ties_to_its_account(books: Books) -> None:
    books.bill("I", "100")
    books.pay("P", "110", on=day(1))
    books.credit("C", "I", "40", on=day(2))
    books.bill("J", "7", on=day(2), currency="JPY")
    books.bill("K", "7.125", on=day(2), currency="KWD")

    def tied(as_of: date, **parameters: str) -> list[tuple[str, str, str]]:
        ties = books.result("receivables-aging", as_of, **parameters).ties
        assert not any(tie.difference for tie in ties)
        return [(tie.column, tie.currency, f"{tie.booked.normalize():f}") for tie in ties if tie.booked]

    assert tied(day(0)) == [("receivables", "EUR", "100")]
    assert tied(day(1)) == [("unapplied_cash", "EUR", "-10")]
    owed = [("receivables", "JPY", "7"), ("receivables", "KWD", "7.125")]
    credit = [("unapplied_cash", "EUR", "-10"), ("customer_credits", "EUR", "-40")]
    for as_of in (day(2), date.max):
        assert tied(as_of) == tied(as_of, per="customer") == tied(as_of, customer="Mill & Sons") == [*owed, *credit]
    assert tied(date.min) == []
    columns = ("document", "receivables", "unapplied_cash", "customer_credits")
    euros = [row for row in books.rows("receivables-aging", *columns, as_of=day(2)) if row[0] != "invoice"]
    assert sorted(euros) == [["credit_note", None, None, "-40"], ["payment", None, "-10", None]]


def test_un_allocating_makes_unapplied_cash_and_a_refund_ends_it(books: Books) -> None:
    books.bill("I", "100")
    books.pay("P", "100", on=day(1))
    books.do(UnallocatePayment(invoice_id=books.id("I"), reason="wrong invoice"), "P", on=day(2))
    rows = books.rows("receivables-aging", "document", "outstanding", as_of=day(2))
    assert rows == [["payment", "-100"], ["invoice", "100"]]
    books.do(RefundPayment(reason="paid twice"), "P", on=day(3))
    assert books.rows("receivables-aging", "document", "outstanding", as_of=day(3)) == [["invoice", "100"]]


def test_a_write_off_is_no_payment(books: Books) -> None:
    books.bill("I", "100", *THIRTY_FIFTY_TWENTY)
    books.do(WriteOffInvoice(amount=Decimal(35), reason="too small to sue for"), "I", on=day(5))
    columns = ("instalment", "paid", "written_off", "outstanding")
    assert books.rows("receivables-aging", *columns, as_of=day(5)) == [[2, "0", "5", "45"], [3, "0", "0", "20"]]


def test_crediting_what_was_written_off_leaves_no_credit(books: Books) -> None:
    books.bill("I", "100", *THIRTY_FIFTY_TWENTY)
    books.do(WriteOffInvoice(amount=Decimal(35), reason="too small to sue for"), "I", on=day(5))
    books.credit("C", "I", on=day(6))
    columns = ("instalment", "paid", "credited", "written_off", "outstanding")
    before = [[2, "0", "0", "5", "45"], [3, "0", "0", "0", "20"]]
    assert books.rows("receivables-aging", *columns, as_of=day(5)) == before
    assert books.rows("receivables-aging", *columns, as_of=day(6)) == []
    with books.database.connect(Role.READER) as connection:
        query = "SELECT instalment, credited, written_off FROM ltc_read.open_items ORDER BY 1"
        assert connection.execute(query).fetchall() == [(1, 30, 0), (2, 50, 0), (3, 20, 0)]
    story = explain_invoice(books.store, "INV-2026-000001", day(6), books.store.head()[0])
    assert (story.broken, story.balance) == ([], 0)
    assert "Beside it: credited of what had been written off" in repr(story)


def test_currencies_are_never_added_up(books: Books) -> None:
    books.bill("I", "100")
    books.bill("J", "70", currency="USD")
    assert books.result("receivables-aging").totals["outstanding"] == {"EUR": 100, "USD": 70}
    assert books.rows("dso", "currency", "receivables") == [["EUR", "100"], ["USD", "70"]]


def test_one_customer(books: Books) -> None:
    books.bill("I", "100")
    books.register("Other Ltd")
    books.bill("J", "70")
    assert books.rows("receivables-aging", "customer", "outstanding", customer="other ltd") == [["Other Ltd", "70"]]
    assert books.rows("collections", "customer", as_of=day(60), customer="Mill & Sons") == [["Mill & Sons"]]


class TestDso:
    def test_receivables_by_credit_sales_times_days(self, books: Books) -> None:
        books.bill("I", "900", on=day(0))
        books.bill("J", "600", on=day(50))
        books.pay("P", "500", on=day(60))
        columns = ("receivables", "credit_sales", "days", "dso")
        assert books.rows("dso", *columns, as_of=day(60)) == [["1000", "1500", 90, "60"]]
        assert books.rows("dso", *columns, as_of=day(60), days=30) == [["1000", "600", 30, "50"]]

    def test_the_window_ends_with_the_day_and_has_as_many_days(self, books: Books) -> None:
        books.bill("I", "100", on=day(1))
        assert books.rows("dso", "window_from", "window_to", "credit_sales", as_of=day(30), days=30) == [[day(1), day(30), "100"]]
        assert books.rows("dso", "window_from", "credit_sales", "dso", as_of=day(31), days=30) == [[day(2), "0", None]]

    def test_credit_notes_are_no_sales_and_unapplied_cash_is_beside(self, books: Books) -> None:
        books.bill("I", "100")
        books.pay("P", "110")
        books.credit("C", "I", "40")
        columns = ("receivables", "unapplied", "credit_sales", "dso")
        assert books.rows("dso", *columns) == [["0", "-50", "60", "0"]]

    def test_a_window_that_begins_before_the_calendar_is_refused(self, books: Books) -> None:
        books.bill("I", "100")
        assert books.rows("dso", "window_from", as_of=date(1, 1, 5), days=5) == []
        for as_of, days in ((date(1, 1, 5), None), (date(1, 1, 5), 6), (DAY, 1_000_000_000)):
            with pytest.raises(InvalidParameter, match="before 0001-01-01, where the calendar ends") as refused:
                books.result("dso", as_of, **({} if days is None else {"days": days}))
            assert "give at most" in refused.value.fix
        with pytest.raises(InvalidParameter, match="after 9999-12-31"):
            books.result("renewals", date.max, days=1)
        with pytest.raises(InvalidParameter, match="after 9999-12-31"):
            books.result("worklist", DAY, days=1_000_000_000)
        assert books.rows("collections", "next_step", as_of=date.max, days_between=0) == [["send reminder 1"]]


class TestCollections:
    COLUMNS = ("instalment", "days_overdue", "outstanding", "dunning_level", "next_step", "next_on")

    def test_only_what_is_overdue_is_on_the_list(self, books: Books) -> None:
        books.bill("I", "100", *THIRTY_FIFTY_TWENTY)
        assert books.rows("collections", *self.COLUMNS, as_of=day(30)) == []
        expected = [[1, 40, "30", 0, "send reminder 1", day(70)], [2, 10, "50", 0, "send reminder 1", day(70)]]
        assert books.rows("collections", *self.COLUMNS, as_of=day(70)) == expected

    def test_after_a_reminder_the_next_one_waits(self, books: Books) -> None:
        books.bill("I", "100")
        books.do(SendDunningNotice(instalment=1), "I", on=day(35))
        columns = (*self.COLUMNS, "last_notice_on", "last_contact_on")
        waiting = [1, 13, "100", 1, "wait for an answer to reminder 1", day(49), day(35), day(35)]
        assert books.rows("collections", *columns, as_of=day(43)) == [waiting]
        assert books.rows("collections", *self.COLUMNS, as_of=day(49)) == [[1, 19, "100", 1, "send reminder 2", day(49)]]
        assert books.rows("collections", *self.COLUMNS, as_of=day(34)) == [[1, 4, "100", 0, "send reminder 1", day(34)]]

    def test_a_promise_delays_and_a_broken_one_is_named(self, books: Books) -> None:
        books.bill("I", "100")
        promise = PromisePayment(promised_on=day(45), amount=Decimal(60), by="Mr Mill")
        books.do(promise, "I", on=day(40))
        columns = (*self.COLUMNS[4:], "promised_on", "promised")
        assert books.rows("collections", *columns, as_of=day(45)) == [["wait for the promised payment", day(46), day(45), "60"]]
        broken = ["promise broken: send reminder 1", day(46), day(45), "60"]
        assert books.rows("collections", *columns, as_of=day(46)) == [broken]
        assert books.rows("collections", *columns, as_of=day(39)) == [["send reminder 1", day(39), None, None]]

    def test_a_promise_that_was_kept_and_then_returned_is_broken(self, books: Books) -> None:
        books.bill("I", "100")
        books.do(PromisePayment(promised_on=day(60), amount=Decimal(60), by="Mr Mill"), "I", on=day(40))
        books.pay("P", "60", on=day(45))
        known = books.do(ReturnPayment(reason="no funds"), "P", on=day(50))
        columns = ("outstanding", *self.COLUMNS[4:])
        assert books.rows("collections", *columns, as_of=day(44)) == [["100", "wait for the promised payment", day(61)]]
        assert books.rows("collections", *columns, as_of=day(45)) == [["40", "send reminder 1", day(45)]]
        assert books.rows("collections", *columns, as_of=day(50)) == [["100", "promise broken: send reminder 1", day(50)]]
        books.do(SendDunningNotice(instalment=1), "I", on=day(50))
        books.do(PromisePayment(promised_on=day(70)), "I", on=day(55))
        assert books.rows("collections", *columns, as_of=day(55)) == [["100", "wait for the promised payment", day(71)]]
        broken = [["100", "promise broken: send reminder 1", day(55)]]
        assert books.rows("collections", *columns, as_of=day(55), known_at=known) == broken
        books.pay("Q", "100", on=day(56))
        books.do(ReturnPayment(reason="no funds"), "Q", on=day(57))
        assert books.rows("collections", *columns, as_of=day(57)) == [["100", "wait for an answer to reminder 1", day(64)]]
        assert books.rows("collections", *columns, as_of=day(64)) == [["100", "promise broken: send reminder 2", day(64)]]
        books.do(SendDunningNotice(instalment=1), "I", on=day(64))

    def test_money_that_was_put_there_by_mistake_neither_keeps_nor_breaks_a_promise(self, books: Books) -> None:
        books.bill("I", "100")
        books.do(PromisePayment(promised_on=day(60), amount=Decimal(60), by="Mr Mill"), "I", on=day(40))
        books.pay("P", "70", ("I", "70"), on=day(45))
        columns = ("outstanding", *self.COLUMNS[4:])
        books.do(UnallocatePayment(invoice_id=books.id("I"), amount=Decimal(10), reason="too much"), "P", on=day(46))
        assert books.rows("collections", *columns, as_of=day(46)) == [["40", "send reminder 1", day(46)]]
        books.do(UnallocatePayment(invoice_id=books.id("I"), reason="wrong invoice"), "P", on=day(50))
        assert books.rows("collections", *columns, as_of=day(50)) == [["100", "wait for the promised payment", day(61)]]
        refused = books.send(SendDunningNotice(instalment=1), "I", on=day(60))
        assert [reason.code for reason in refused.reasons] == ["dunning_promised"]
        assert books.rows("collections", *columns, as_of=day(61)) == [["100", "promise broken: send reminder 1", day(61)]]
        books.do(SendDunningNotice(instalment=1), "I", on=day(61))

    def test_the_policy_says_how_long_to_wait(self, books: Books) -> None:
        books.bill("I", "100")
        books.do(SendDunningNotice(instalment=1), "I", on=day(35))
        published = Dunning(kind="dunning", annual_interest_percent=Decimal(9), fee=Decimal(10), days_between=5)
        message = PublishPolicy(content=published)
        known = books.store.head()[0]
        books.do(message, policy_id("dunning"), on=day(38), customer=policy_id("dunning"))
        wait, send = "wait for an answer to reminder 1", "send reminder 2"
        assert books.rows("collections", *self.COLUMNS[4:], as_of=day(37)) == [[wait, day(49)]]
        assert books.rows("collections", *self.COLUMNS[4:], as_of=day(38)) == [[wait, day(40)]]
        assert books.rows("collections", *self.COLUMNS[4:], as_of=day(40)) == [[send, day(40)]]
        assert books.rows("collections", *self.COLUMNS[4:], as_of=day(40), known_at=known) == [[wait, day(49)]]
        assert books.rows("collections", *self.COLUMNS[4:], as_of=day(40), days_between=10) == [[wait, day(45)]]

    def test_a_dispute_stops_reminders_until_it_is_settled(self, books: Books) -> None:
        books.bill("I", "100")
        books.do(DisputeInvoice(reason="broken mill"), "I", on=day(40))
        known = books.do(ResolveDispute(resolution="repaired"), "I", on=day(50)) - 1
        columns = ("dispute", "next_step")
        assert books.rows("collections", *columns, as_of=day(49)) == [["broken mill", "settle the dispute"]]
        assert books.rows("collections", *columns, as_of=day(50)) == [[None, "send reminder 1"]]
        assert books.rows("collections", *columns, as_of=day(50), known_at=known) == [["broken mill", "settle the dispute"]]
