"""Invoices and credit notes of another system keep their numbers."""

import pytest
from pydantic import ValidationError
from tests.unit.money_examples import INVOICE, ORDER, OTHER_INVOICE, delivered, placed
from tests.unit.specification import STRANGER, at, given
from tests.unit.test_credit_note import invoiced
from tests.unit.test_invoicing import SERIES, bill

from ltc_events.aggregates.number_series import NumberAndSeries, NumberOfAnotherSystem, NumberOfOurs, NumberTaken
from ltc_events.schemas.credit_note import CreditNoteIssued, CreditReason, IssueCreditNote
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.number_series import NumberAssigned, NumberImported, SeriesImported, imported_number_id, series_id

DELIVERED = at(ORDER, placed(), delivered((1, "6", "60.00")))
FOREIGN = "2680537112"
OURS = NumberAssigned(series="INV", year=2026, sequence=1, number="INV-2026-000001", document_id=OTHER_INVOICE)


def kept(number: str) -> NumberImported:
    return NumberImported(number=number, document_id=INVOICE)


def test_an_invoice_keeps_its_number() -> None:
    story = given(DELIVERED).when(bill(number=FOREIGN), subject=INVOICE)
    (issued,) = [event for event in story.events if isinstance(event, InvoiceIssued)]
    assert issued.number == FOREIGN
    assert story.events[0] == kept(FOREIGN)
    assert not [event for event in story.events if isinstance(event, NumberAssigned)]


def test_a_number_that_another_document_has_is_refused_and_the_document_named() -> None:
    taken = at(imported_number_id(FOREIGN), NumberImported(number=FOREIGN, document_id=OTHER_INVOICE))
    given(DELIVERED, taken).when(bill(number=FOREIGN), subject=INVOICE).then(
        NumberTaken, field="number", message=str(OTHER_INVOICE)
    )


def test_a_number_of_our_form_closes_its_series_to_us() -> None:
    number = "RE-2024-000123"
    events = given(DELIVERED).when(bill(number=number), subject=INVOICE).events
    assert events[:2] == [kept(number), SeriesImported(series="RE", year=2024)]
    closed = at(series_id("RE", 2024), SeriesImported(series="RE", year=2024))
    again = given(DELIVERED, closed).when(bill(number="RE-2024-000124"), subject=INVOICE).events
    assert SeriesImported(series="RE", year=2024) not in again


def test_a_series_of_another_system_assigns_no_number() -> None:
    closed = at(SERIES, SeriesImported(series="INV", year=2026))
    given(DELIVERED, closed).when(bill(), subject=INVOICE).then(NumberOfAnotherSystem, field="series", message="INV of 2026")


@pytest.mark.parametrize("number", ["INV-2026-000001", "INV-2026-999999"])
def test_a_number_of_a_series_that_assigns_numbers_is_refused(number: str) -> None:
    given(DELIVERED, at(SERIES, OURS)).when(bill(number=number), subject=INVOICE).then(NumberOfOurs, field="number")


def test_a_number_and_a_series_are_not_given_together() -> None:
    given(DELIVERED).when(bill(number=FOREIGN, series="INV"), subject=INVOICE).then(NumberAndSeries, field="series")


def test_a_credit_note_keeps_its_number_too() -> None:
    credit = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER, number="G 17")
    events = invoiced().when(credit, subject=STRANGER).events
    assert events[0] == NumberImported(number="G 17", document_id=STRANGER)
    assert [one.number for one in events if isinstance(one, CreditNoteIssued)] == ["G 17"]


@pytest.mark.parametrize("number", ["INV-2026-17", "INV-2026-0000017", "INV-\uff12\uff10\uff12\uff16-000001"])
def test_a_number_that_ours_never_are_leaves_its_series_as_it_is(number: str) -> None:
    events = given(DELIVERED, at(SERIES, OURS)).when(bill(number=number), subject=INVOICE).events
    assert events[0] == kept(number)
    assert not [one for one in events if isinstance(one, SeriesImported)]


def test_no_number_has_the_stream_of_a_series() -> None:
    assert imported_number_id("2026") != series_id("imported", 2026)


@pytest.mark.parametrize("number", ["\x7f17", "\x9b2J", "", " 17", "17 ", "1\n7", "\x1b[2J", "1" * 81])
def test_a_number_that_cannot_be_printed_is_refused(number: str) -> None:
    with pytest.raises(ValidationError, match="number"):
        bill(number=number)


@pytest.mark.parametrize("number", ["1", "A/17", "发票 0042", "2024-R 00017 (b)", "1" * 80])
def test_a_number_is_kept_as_it_is(number: str) -> None:
    assert bill(number=number).number == number
