"""The story of an invoice, held against its sums, against the read tables, and against tampering."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.books import DAY, Books

from ltc_events.explanation.chain import NotAnInvoice, NotYetAnInvoice, UnknownInvoice
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.explanation.story import Story
from ltc_events.schemas.claim import ClaimKind, RaiseClaim, WaiveClaim
from ltc_events.schemas.payment import AllocateToClaim
from ltc_events.schemas.receivable import SendDunningNotice
from ltc_events.store import Database, EventStore, Role

END = date(2026, 6, 30)

BALANCES = """
SELECT coalesce(sum(m.amount), 0), count(*) FILTER (WHERE m.kind = 'invoiced') > 0
FROM ltc_read.open_item_movements m
WHERE m.item = 'invoice' AND m.item_id = %(id)s AND m.effective_on <= %(as_of)s AND m.position <= %(position)s
"""


@pytest.fixture
def store(company: Database) -> Iterator[EventStore]:
    store = EventStore(company, Role.PROJECTOR)
    yield store
    store.close()


@pytest.fixture(scope="session")
def invoices(company: Database) -> list[tuple[str, Any, date]]:
    with company.connect(Role.READER) as connection:
        return connection.execute("SELECT number, invoice_id, issued_on FROM ltc_read.invoices ORDER BY number").fetchall()


def balance(connection: Any, id: Any, as_of: date, position: int) -> tuple[Decimal, bool]:
    row = connection.execute(BALANCES, {"id": id, "as_of": as_of, "position": position}).fetchone()
    return row[0], row[1]


def test_every_invoice_adds_up_and_agrees_with_the_read_tables(
    company: Database, store: EventStore, invoices: list[tuple[str, Any, date]]
) -> None:
    head = store.head()[0]
    assert len(invoices) > 100
    with company.connect(Role.READER) as connection:
        for number, id, _ in invoices:
            story = explain_invoice(store, number, END, head)
            assert story.broken == []
            assert (story.balance, True) == balance(connection, id, END, head)
        owed = connection.execute("SELECT number, balance FROM ltc_read.invoices").fetchall()
    assert {number: explain_invoice(store, number, date.max, head).balance for number, _ in owed} == dict(owed)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_it_agrees_as_of_any_date_and_as_known_at_any_position(
    company: Database, store: EventStore, invoices: list[tuple[str, Any, date]], data: st.DataObject
) -> None:
    number, id, issued_on = data.draw(st.sampled_from(invoices))
    as_of = data.draw(st.dates(issued_on, END))
    position = data.draw(st.integers(1, store.head()[0]))
    with company.connect(Role.READER) as connection:
        expected, known = balance(connection, id, as_of, store.command_end(position))
    if not known:
        with pytest.raises(NotYetAnInvoice):
            explain_invoice(store, number, as_of, position)
        return
    story = explain_invoice(store, number, as_of, position)
    assert (story.balance, story.position) == (expected, store.command_end(position))
    assert story.broken == []


def test_the_story_reaches_from_the_lead_to_the_last_cent(company: Database, store: EventStore) -> None:
    with company.connect(Role.READER) as connection:
        row = connection.execute(
            "SELECT i.number FROM ltc_read.invoices i JOIN ltc_read.opportunities o USING (opportunity_id)"
            " WHERE o.lead_id IS NOT NULL AND i.status = 'settled' AND i.paid = i.payable AND i.quote_id IS NOT NULL"
            " ORDER BY 1 LIMIT 1"
        ).fetchone()
    assert row is not None
    story = explain_invoice(store, row[0], date.max, store.head()[0])
    types = [node.record.event.type for node in story.root.walk() if node.record]
    chain = [
        "lead.captured.v1", "lead.converted.v1", "opportunity.opened.v1", "opportunity.won.v1", "quote.priced.v1",
        "quote.accepted.v1", "quote.ordered.v1", "order.placed.v1", "invoice.issued.v1", "invoice.payment_applied.v1",
        "payment.received.v1",
    ]  # fmt: skip
    assert [one for one in dict.fromkeys(types) if one in chain] == chain
    assert story.balance == 0
    document = story.document()
    events = list(_events(document["story"]))
    wanted = {"position", "type", "subject", "version", "effective_on", "occurred_at", "recorded_at", "actor", "command_id"}
    assert all(set(event) == wanted for event in events)
    policies = {name for node in story.root.walk() for name in node.policies}
    assert {"required_fields", "stages", "discount_matrix", "billing", "payment_terms"} <= policies
    assert document["sums_broken"] == []
    assert document["sums_checked"] > 15


def _events(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "event" in node:
        yield node["event"]
    for child in node.get("children", ()):
        yield from _events(child)


def test_a_sum_that_does_not_come_out_is_an_error(company: Database, server: Any) -> None:
    """Somebody with all rights over the server changes one amount: the story says which sum no longer comes out."""
    forged = server.at(server.create_from(company))
    with forged.connect(Role.OWNER, autocommit=True) as connection:
        (number,) = connection.execute("SELECT min(number) FROM ltc_read.invoices WHERE status = 'settled'").fetchone() or ("",)
        connection.execute("ALTER TABLE ltc.events DISABLE TRIGGER append_only")
        connection.execute(
            "UPDATE ltc.events SET data = convert_to(regexp_replace(convert_from(data, 'UTF8'),"
            ' \'"line_total":"([0-9.]+)"\', \'"line_total":"1.00"\'), \'UTF8\')'
            " WHERE type = 'invoice.issued.v1' AND convert_from(data, 'UTF8') LIKE %s",
            (f'%"number":"{number}"%',),
        )
    store = EventStore(forged, Role.PROJECTOR)
    story: Story = explain_invoice(store, str(number), END, store.head()[0])
    assert {check.name for check in story.broken} == {"sum of line net amounts (BR-CO-10)", "total without tax (BR-CO-13)"}
    store.close()


@pytest.mark.parametrize("number", ["INV-2026-999999", "INV-2026-0", "inv-2026-000001", "INV-2O26-000001", "INV 2026", "x", ""])
def test_an_unknown_number_suggests_the_nearest(store: EventStore, number: str) -> None:
    with pytest.raises(UnknownInvoice) as raised:
        explain_invoice(store, number, END, store.head()[0])
    assert "INV-2026-" in raised.value.fix or number in ("x", "")
    assert "CN-" not in raised.value.fix, "a credit note is no invoice"


def test_an_invoice_of_later_is_not_called_unknown(store: EventStore, invoices: list[tuple[str, Any, date]]) -> None:
    number, id, issued_on = invoices[-1]
    issued = store.stream(id)[0]
    before = store.outcomes([issued.command_id])[issued.command_id].first_position - 1
    with pytest.raises(NotYetAnInvoice) as raised:
        explain_invoice(store, number, issued_on, before)
    assert number in raised.value.message
    assert raised.value.fix == f"ask for it as of {issued_on} or later, as known at {issued.position} or later"


def test_every_amount_of_the_story_has_its_currency(store: EventStore, invoices: list[tuple[str, Any, date]]) -> None:
    for number, _, _ in invoices[:10]:
        story = explain_invoice(store, number, END, store.head()[0])
        assert [node.text for node in story.root.walk() if node.amount is not None and not node.currency] == []


def test_a_credit_note_is_not_an_invoice(company: Database, store: EventStore) -> None:
    with company.connect(Role.READER) as connection:
        (number,) = connection.execute("SELECT min(number) FROM ltc_read.credit_notes").fetchone() or ("",)
    with pytest.raises(NotAnInvoice):
        explain_invoice(store, str(number), END, store.head()[0])


def test_explaining_needs_no_read_tables(company: Database, server: Any) -> None:
    bare = server.at(server.create_from(company))
    with bare.connect(Role.OWNER, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA ltc_read CASCADE")
    store = EventStore(bare, Role.PROJECTOR)
    assert explain_invoice(store, "INV-2026-000001", END, store.head()[0]).broken == []
    store.close()


def test_claims_have_their_place_in_the_story(database: Database, event_store: EventStore) -> None:
    books = Books(database, event_store)
    books.bill("I", "1000")
    late = DAY + timedelta(days=60)
    books.do(SendDunningNotice(instalment=1), "I", on=late)
    lump = RaiseClaim(kind=ClaimKind.DUNNING_FEE, invoice_id=books.id("I"), instalment=1, amount=Decimal(40), reason="lump sum")
    books.do(lump, "lump", on=late)
    books.receive("P", "50", on=late)
    books.do(AllocateToClaim(claim_id=books.id("lump"), amount=Decimal(30)), "P", on=late)
    head = books.do(WaiveClaim(reason="goodwill", amount=Decimal(4)), "lump", on=late)
    story = explain_invoice(event_store, "INV-2026-000001", late, head)
    assert story.broken == []
    told = {node.text: (node.amount, [child.text for child in node.children]) for node in story.root.walk()}
    fee = "Claimed beside the invoice: dunning fee, INV-2026-000001/1 reminder 1"
    interest = "Claimed beside the invoice: interest, INV-2026-000001/1 reminder 1"
    assert told["Reminder 1 for instalment 1, 30 days overdue"][1] == [fee, interest]
    assert told["Claimed beside the invoice: dunning fee, INV-2026-000001/1 lump sum"] == (
        40,
        ["Paid by payment P", "Waived: goodwill"],
    )
    assert told["Paid by payment P"] == (-30, ["Received by transfer"])
    assert told[f"Claims beside it as of {late}"][0] == told[fee][0] + told[interest][0] + 6
    assert story.balance == 1000
    tables = books.rows("receivables-aging", "outstanding", as_of=late, customer=books.customer)
    assert sum(Decimal(row[0]) for row in tables) == story.balance + told[f"Claims beside it as of {late}"][0] - 20
    before = explain_invoice(event_store, "INV-2026-000001", late - timedelta(days=1), head)
    assert not any("Claims" in node.text for node in before.root.walk())
    books.close()
