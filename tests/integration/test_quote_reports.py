"""Reports on quotes, on a real database, held against figures worked out by hand."""

from decimal import Decimal

import pytest
from tests.small_company import Company, figures, id_of, line, priced

from ltc_events.schemas.quote import (
    DiscountApproved,
    QuoteAccepted,
    QuoteDrafted,
    QuoteRejected,
    QuoteRevised,
    QuoteSent,
)
from ltc_events.store import Database, EventStore


@pytest.fixture
def company(database: Database, event_store: EventStore) -> Company:
    return Company(database, event_store)


class TestQuotes:
    """R-49 … R-51."""

    @pytest.fixture
    def company(self, company: Company) -> Company:
        """Q1 needs an approval and is accepted; Q2 is rejected, revised and accepted; Q3 waits."""
        company.customer("Acme")
        company.customer("Bolt")
        drafts = (("Q1", "2026-01-05", "Acme"), ("Q2", "2026-01-10", "Bolt"), ("Q3", "2026-02-01", "Bolt"))
        for name, requested_on, customer in drafts:
            draft = QuoteDrafted(currency="EUR", valid_until="2026-12-31", requested_on=requested_on)
            company.record(name, draft, on=requested_on, customer=customer)
        steep = priced(
            line(1, "PUMP", "10", "100", {"volume": "200", "loyalty": "50"}), line(2, "HOSE", "4", "25"), approval=True
        )
        company.record("Q1", steep, on="2026-01-06", at="2026-01-06T10:00:00", customer="Acme")
        approval = DiscountApproved(approver="Dora", role="director", discount_percent=Decimal(25), matrix_version=0)
        company.record("Q1", approval, on="2026-01-06", at="2026-01-06T13:30:00", customer="Acme")
        company.record("Q1", QuoteSent(revision=1), on="2026-01-08", customer="Acme")
        company.record("Q1", QuoteAccepted(revision=1, net=Decimal(850), currency="EUR"), on="2026-01-18", customer="Acme")

        company.record("Q2", priced(line(1, "PUMP", "2", "100"), requested_by="Otto"), on="2026-01-11", customer="Bolt")
        company.record("Q2", QuoteSent(revision=1), on="2026-01-11", customer="Bolt")
        company.record("Q2", QuoteRejected(revision=1, reason="price"), on="2026-01-13", customer="Bolt")
        company.record("Q2", QuoteRevised(revision=2, reason="price", valid_until="2026-12-31"), on="2026-01-14", customer="Bolt")
        again = priced(line(1, "PUMP", "2", "100", {"loyalty": "10"}), requested_by="Otto", revision=2)
        company.record("Q2", again, on="2026-01-14", customer="Bolt")
        company.record("Q2", QuoteSent(revision=2), on="2026-01-15", customer="Bolt")
        company.record("Q2", QuoteAccepted(revision=2, net=Decimal(190), currency="EUR"), on="2026-02-20", customer="Bolt")
        company.record(
            "Q3", priced(line(1, "PUMP", "1", "100", {"volume": "50"}), requested_by="Otto"), on="2026-02-01", customer="Bolt"
        )
        return company

    def test_turnaround(self, company: Company) -> None:
        result = company.report("quote-turnaround")
        columns = (
            "requester", "quotes", "sent", "waiting", "accepted", "median_days_to_sent",
            "approvals", "median_hours_to_approval", "median_days_to_answer",
        )  # fmt: skip
        assert figures(result, *columns) == [
            ("Otto", 2, 1, 1, 1, "1", 0, None, "2"),
            ("Olga", 1, 1, 0, 1, "3", 1, "3.5", "10"),
        ]
        by_month = company.report("quote-turnaround", group_by="month", as_of="2026-01-10")
        assert figures(by_month, "month", "quotes", "sent", "accepted") == [("2026-01", 2, 1, 0)]
        by_approval = company.report("quote-turnaround", group_by="approval")
        assert figures(by_approval, "approval", "quotes") == [("no", 2), ("yes", 1)]

    def test_leakage_by_thing(self, company: Company) -> None:
        result = company.report("leakage")
        columns = ("sku", "quotes", "list_amount", "discount", "net", "discount_percent", "price_index")
        assert figures(result, *columns) == [
            ("PUMP", 2, "1200", "260", "940", "21.667", "100"),
            ("HOSE", 1, "100", "0", "100", "0", "100"),
        ]
        assert figures(result, "sku", "lowest_price", "highest_price", "reasons", "approvers") == [
            ("PUMP", "75", "95", "loyalty; volume", "Dora"),
            ("HOSE", "25", "25", None, "Dora"),
        ]
        assert result.totals == {
            "list_amount": {"EUR": Decimal(1300)},
            "discount": {"EUR": Decimal(260)},
            "net": {"EUR": Decimal(1040)},
        }

    def test_equal_customers_get_equal_prices_or_it_shows(self, company: Company) -> None:
        result = company.report("leakage", group_by="customer")
        assert figures(result, "customer", "customer_id", "net", "discount_percent", "price_index") == [
            # A pump costs 940 ÷ 12 on average: Acme paid 850 for what costs 783.33 + 100, Bolt 190 for 156.67.
            ("Acme", id_of("Acme"), "850", "22.727", "96.226"),
            ("Bolt", id_of("Bolt"), "190", "5", "121.277"),
        ]

    def test_only_what_was_accepted_by_then(self, company: Company) -> None:
        result = company.report("leakage", group_by="requester", as_of="2026-01-31")
        assert figures(result, "requester", "discount") == [("Olga", "250")]
