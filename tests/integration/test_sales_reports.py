"""Sales reports on a real database, held against figures worked out by hand."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from tests.small_company import Company, figures, id_of

from ltc_events.explanation.sale import explain_opportunity
from ltc_events.reports.registry import all_reports
from ltc_events.schemas.campaign import CampaignCostRecorded, CampaignPlanned
from ltc_events.schemas.follow_up import FirstResponseRecorded
from ltc_events.schemas.lead import Channel, LeadAssigned, LeadConverted, LeadRejected
from ltc_events.schemas.opportunity import (
    AmountChanged,
    CloseDateChanged,
    LossReason,
    OpportunityLost,
    OwnerChanged,
    TitleChanged,
)
from ltc_events.store import Database, EventStore, Role


@pytest.fixture
def company(database: Database, event_store: EventStore) -> Company:
    return Company(database, event_store)


@pytest.mark.parametrize("name", [report.name for report in all_reports() if report.name != "customer"])
def test_a_report_runs_on_an_empty_database(company: Company, name: str) -> None:
    result = company.report(name)
    assert result.position == 0
    assert result.known_at is None
    assert all(total in (0, {}) for total in result.totals.values())


class TestFunnel:
    """R-23."""

    @pytest.fixture
    def company(self, company: Company) -> Company:
        """Four leads: L1 won, L2 converted, L3 answered and rejected, L4 captured in the next quarter."""
        company.capture("L1", on="2026-01-10")
        company.capture("L2", on="2026-02-10", channel=Channel.REFERRAL)
        company.capture("L3", on="2026-03-31")
        company.capture("L4", on="2026-04-01")
        company.qualify("L1", on="2026-01-12")
        company.convert("L1", "D1", on="2026-01-20")
        company.qualify("L2", on="2026-02-12")
        company.convert("L2", "D2", on="2026-04-05")
        company.record("L3", FirstResponseRecorded(by="Olga", in_time=True), on="2026-04-01")
        company.record("L3", LeadRejected(failed=("potential_intent",), reason="a student"), on="2026-04-02")
        company.win("D1", on="2026-04-20")
        company.open("D3", on="2026-02-01")  # without a lead: no part of the funnel
        company.win("D3", on="2026-02-02")
        return company

    def test_cohort_follows_the_leads_captured_in_the_period_wherever_they_got_to(self, company: Company) -> None:
        result = company.report("funnel", basis="cohort", from_="2026-01-01", to="2026-03-31")
        assert figures(result, "basis", "step", "leads", "percent_of_previous", "percent_of_first") == [
            ("cohort", "captured", 3, None, "100"),
            ("cohort", "accepted", 2, "66.667", "66.667"),
            ("cohort", "assigned", 2, "100", "66.667"),
            ("cohort", "contacted", 3, "150", "100"),
            ("cohort", "qualified", 2, "66.667", "66.667"),
            ("cohort", "converted", 2, "100", "66.667"),
            ("cohort", "won", 1, "50", "33.333"),
        ]

    def test_period_counts_the_steps_taken_in_the_period(self, company: Company) -> None:
        result = company.report("funnel", basis="period", from_="2026-01-01", to="2026-03-31")
        assert [leads for (leads,) in figures(result, "leads")] == [3, 2, 2, 2, 2, 1, 0]
        result = company.report("funnel", basis="period", from_="2026-04-01")
        assert [leads for (leads,) in figures(result, "leads")] == [1, 0, 0, 1, 0, 1, 1]

    def test_as_of_leaves_out_what_came_later(self, company: Company) -> None:
        result = company.report("funnel", as_of="2026-02-28")
        assert [leads for (leads,) in figures(result, "leads")] == [2, 2, 2, 2, 2, 1, 0]

    def test_one_channel(self, company: Company) -> None:
        result = company.report("funnel", channel="referral")
        assert [leads for (leads,) in figures(result, "leads")] == [1, 1, 1, 1, 1, 1, 0]

    def test_a_lead_that_was_assigned_twice_counts_once(self, company: Company) -> None:
        company.record("L2", LeadAssigned(owner="Otto", rule="manual", rule_version=0), on="2026-02-13")
        result = company.report("funnel")
        assert [leads for (leads,) in figures(result, "leads")] == [4, 2, 2, 3, 2, 2, 1]


class TestPipeline:
    """R-38; DOMAIN: weighted by the probability as believed on the as-of date."""

    @pytest.fixture
    def company(self, company: Company) -> Company:
        company.open("D1", on="2026-01-01", amount="1000.00", expected_close_on="2026-03-01")
        company.move("D1", "prospecting", "proposal", on="2026-02-01")
        company.record("D1", AmountChanged(was=Decimal(1000), amount=Decimal("1200.50"), currency="EUR"), on="2026-02-15")
        company.open("D2", on="2026-01-15", amount="400", owner="Otto")
        company.open("D3", on="2026-01-20", amount="70", currency="USD", owner="Otto")
        company.open("D4", on="2026-01-21", amount="5000")
        company.win("D4", on="2026-02-20", amount="5000")
        company.record("D1", CloseDateChanged(was="2026-03-01", expected_close_on="2026-06-30"), on="2026-03-15")
        return company

    def test_by_stage_as_of_two_dates(self, company: Company) -> None:
        columns = ("stage", "currency", "opportunities", "amount", "weighted", "probability", "overdue")
        assert figures(company.report("pipeline", as_of="2026-01-31"), *columns) == [
            ("prospecting", "EUR", 3, "6400", "640", "10", 0),
            ("prospecting", "USD", 1, "70", "7", "10", 0),
        ]
        result = company.report("pipeline", as_of="2026-03-10")
        assert figures(result, *columns) == [
            ("prospecting", "EUR", 1, "400", "40", "10", 0),
            ("prospecting", "USD", 1, "70", "7", "10", 0),
            ("proposal", "EUR", 1, "1200.5", "600.25", "50", 1),
        ]
        assert result.totals == {
            "opportunities": 3,
            "amount": {"EUR": Decimal("1600.50"), "USD": Decimal(70)},
            "weighted": {"EUR": Decimal("640.25"), "USD": Decimal(7)},
            "overdue": 1,
        }

    def test_by_owner_month_and_deal(self, company: Company) -> None:
        by_owner = company.report("pipeline", group_by="owner")
        assert figures(by_owner, "owner", "currency", "amount") == [
            ("Olga", "EUR", "1200.5"),
            ("Otto", "EUR", "400"),
            ("Otto", "USD", "70"),
        ]
        by_month = company.report("pipeline", group_by="month")
        assert figures(by_month, "month", "currency", "amount") == [
            ("2026-06", "EUR", "1200.5"),
            (None, "EUR", "400"),
            (None, "USD", "70"),
        ]
        by_deal = company.report("pipeline", group_by="opportunity", owner="Otto")
        assert figures(by_deal, "opportunity", "opportunity_id") == [("D2", id_of("D2")), ("D3", id_of("D3"))]

    def test_title_and_owner_are_those_of_the_date_and_of_what_was_known(self, company: Company, event_store: EventStore) -> None:
        known = company.record("D2", OwnerChanged(was="Otto", owner="Olga"), on="2026-02-10")
        company.record("D2", TitleChanged(was="D2", title="Two mills"), on="2026-02-12")
        company.follow()
        with company.database.connect(Role.READER) as reader:
            terms = reader.execute("SELECT term FROM ltc_read.search_terms WHERE subject = %s", (id_of("D2"),)).fetchall()
        assert {"d2", "two mills"} <= {str(term).lower() for (term,) in terms}
        assert explain_opportunity(event_store, id_of("D2"), date(2026, 2, 12), 1000).root.text == "Opportunity Two mills"
        of_olga = {"group_by": "opportunity", "owner": "Olga"}
        assert ("Two mills",) in figures(company.report("pipeline", as_of="2026-02-12", **of_olga), "opportunity")
        assert ("D2",) in figures(company.report("pipeline", as_of="2026-02-11", **of_olga), "opportunity")
        assert ("D2",) not in figures(company.report("pipeline", as_of="2026-02-09", **of_olga), "opportunity")
        assert ("D2",) not in figures(company.report("pipeline", known_at=known - 1, **of_olga), "opportunity")
        lost = OpportunityLost(from_stage="prospecting", amount=Decimal(400), currency="EUR", reason=LossReason.PRICE)
        company.record("D2", lost, on="2026-03-01")
        company.record("D2", OwnerChanged(was="Olga", owner="Ben"), on="2026-03-20")
        for name, group in (("loss-reasons", "owner"), ("bookings", "segment"), ("sales-cycle", "segment")):
            assert ("Olga",) in figures(company.report(name, as_of="2026-03-01", group_by="owner"), group)
            assert ("Ben",) in figures(company.report(name, as_of="2026-03-20", group_by="owner"), group)
        assert not company.report("stage-durations", as_of="2026-03-19", owner="Ben").rows
        assert company.report("stage-durations", as_of="2026-03-20", owner="Ben").rows

    def test_the_policy_may_change_what_a_stage_counts_for(self, company: Company) -> None:
        company.open("D5", on="2026-04-01", amount="100", probability=Decimal(20))
        (row,) = [
            row for row in figures(company.report("pipeline"), "stage", "currency", "weighted", "probability") if row[1] == "EUR"
        ][:1]
        assert row == ("prospecting", "EUR", "60", "12")  # 400 × 10 % + 100 × 20 %, of 500


class TestChannels:
    """R-7, R-11."""

    @pytest.fixture
    def company(self, company: Company) -> Company:
        for name, channel, currency in (("Fair", "exhibition", "EUR"), ("Ads", "paid_search", "USD")):
            planned = CampaignPlanned(
                title=name,
                channel=Channel(channel),
                budget=Decimal(1000),
                currency=currency,
                starts_on="2026-01-01",
                ends_on="2026-06-30",
            )
            company.record(name, planned, on="2026-01-01", customer=None)
        for name, channel, currency, amount, on in (
            ("Fair", "exhibition", "EUR", "300", "2026-01-05"),
            ("Fair", "exhibition", "EUR", "200.50", "2026-02-05"),
            ("Ads", "paid_search", "USD", "50", "2026-02-06"),
            ("Ads", "paid_search", "USD", "99", "2027-02-06"),
        ):
            cost = CampaignCostRecorded(cost_id=uuid4(), amount=Decimal(amount), currency=currency, channel=Channel(channel))
            company.record(name, cost, on=on, customer=None)
        fair = {"channel": Channel.EXHIBITION, "campaign_id": id_of("Fair")}
        for name, on, origin in (("L1", "2026-01-10", "Hanover"), ("L2", "2026-01-20", "Hanover"), ("L3", "2026-02-10", "Lyon")):
            company.capture(name, on=on, origin=origin, **fair)
            company.qualify(name, on=on)
        company.capture("L4", on="2026-03-01", channel=Channel.PAID_SEARCH)
        company.convert("L1", "D1", on="2026-01-15", channel=Channel.EXHIBITION, origin="Hanover")
        company.convert("L2", "D2", on="2026-01-25", channel=Channel.EXHIBITION, origin="Hanover")
        company.win("D1", on="2026-01-30", amount="1500")  # 20 days after the capture
        company.win("D2", on="2026-02-24", amount="800", currency="USD")  # 35 days
        company.open("D3", on="2026-02-01", channel=Channel.REFERRAL)
        company.win("D3", on="2026-02-11", amount="250")  # 10 days
        return company

    def test_by_channel(self, company: Company) -> None:
        result = company.report("channels")
        columns = ("channel", "leads", "converted", "conversion", "won", "median_days_to_won")
        assert figures(result, *columns) == [
            ("exhibition", 3, 2, "66.667", 2, "27.5"),
            ("exhibition", None, None, None, None, None),
            ("paid_search", 1, 0, "0", 0, None),
            ("referral", 0, 0, None, 1, "10"),
        ]
        assert figures(result, "channel", "currency", "won_amount", "cost", "cost_per_won", "return_percent") == [
            ("exhibition", "EUR", "1500", "500.5", "250.25", "199.7"),  # (1500 − 500.50) ÷ 500.50 = 199.700 %
            ("exhibition", "USD", "800", None, None, None),
            ("paid_search", "USD", None, "50", None, "-100"),
            ("referral", "EUR", "250", None, None, None),
        ]
        assert result.totals == {
            "leads": 4,
            "converted": 2,
            "won": 3,
            "won_amount": {"EUR": Decimal(1750), "USD": Decimal(800)},
            "cost": {"EUR": Decimal("500.50"), "USD": Decimal(50)},
        }

    def test_by_origin_the_costs_stand_apart(self, company: Company) -> None:
        result = company.report("channels", group_by="origin")
        assert figures(result, "channel", "origin", "leads", "converted", "won", "cost", "cost_per_won") == [
            ("exhibition", "Hanover", 2, 2, 2, None, None),
            ("exhibition", "Hanover", None, None, None, None, None),
            ("exhibition", "Lyon", 1, 0, 0, None, None),
            ("paid_search", None, 1, 0, 0, "50", None),
            ("referral", None, 0, 0, 1, None, None),
            ("exhibition", None, 0, 0, 0, "500.5", None),
        ]

    def test_by_campaign(self, company: Company) -> None:
        result = company.report("channels", group_by="campaign")
        assert figures(result, "channel", "campaign", "leads", "won", "currency", "cost", "cost_per_won") == [
            ("exhibition", "Fair", 3, 2, "EUR", "500.5", "250.25"),
            ("exhibition", "Fair", None, None, "USD", None, None),
            ("paid_search", None, 1, 0, None, None, None),
            ("referral", None, 0, 1, "EUR", None, None),
            ("paid_search", "Ads", 0, 0, "USD", "50", None),
        ]

    def test_a_period_chooses_leads_by_capture_and_costs_by_date(self, company: Company) -> None:
        result = company.report("channels", from_="2026-01-01", to="2026-01-31")
        assert figures(result, "channel", "currency", "leads", "won", "won_amount", "cost") == [
            ("exhibition", "EUR", 2, 2, "1500", "300"),
            ("exhibition", "USD", None, None, "800", None),
        ]

    def test_a_deal_can_be_won_before_its_lead_was_captured(self, company: Company) -> None:
        company.capture("L9", on="2026-05-10", channel=Channel.PARTNER)
        company.record(
            "L9", LeadConverted(opportunity_id=id_of("D9"), evidence="intent_to_buy", evidence_note="-"), on="2026-05-10"
        )
        company.open("D9", on="2026-05-01", lead_id=id_of("L9"))
        company.win("D9", on="2026-05-07")
        result = company.report("channels", from_="2026-05-01")
        assert figures(result, "channel", "leads", "converted", "won", "median_days_to_won") == [("partner", 1, 1, 1, "-3")]


class TestStageDurations:
    """R-39."""

    @pytest.fixture
    def company(self, company: Company) -> Company:
        company.open("D1", on="2026-01-01")
        company.move("D1", "prospecting", "proposal", on="2026-01-11")  # 10 days
        company.move("D1", "proposal", "prospecting", on="2026-01-15")  # 4 days
        company.move("D1", "prospecting", "negotiation", on="2026-01-16")  # 1 day
        company.win("D1", on="2026-02-05")  # 20 days
        company.open("D2", on="2026-01-01", owner="Otto")
        return company

    def test_open_stages_are_measured_to_the_as_of_date(self, company: Company) -> None:
        result = company.report("stage-durations", as_of="2026-01-31")
        columns = ("stage", "entered", "still_open", "moved_back", "average_days", "median_days", "p90_days", "longest_days")
        assert figures(result, *columns) == [
            ("prospecting", 3, 1, 1, "13.7", "10", "26", 30),  # 10, 1 and 30: average 41 ÷ 3, p90 10 + 0.8 × 20
            ("proposal", 1, 0, 0, "4", "4", "4", 4),
            ("negotiation", 1, 1, 0, "15", "15", "15", 15),
        ]
        assert result.totals == {"entered": 5, "still_open": 2, "moved_back": 1}

    def test_closed_deals_stay_no_longer(self, company: Company) -> None:
        result = company.report("stage-durations", as_of="2026-12-31", owner="Olga")
        assert figures(result, "stage", "still_open", "longest_days") == [
            ("prospecting", 0, 10),
            ("proposal", 0, 4),
            ("negotiation", 0, 20),
        ]

    def test_leaving_before_entering_is_no_day(self, company: Company) -> None:
        company.open("D3", on="2026-06-10")
        company.move("D3", "prospecting", "proposal", on="2026-06-01")
        result = company.report("stage-durations", from_="2026-06-10", as_of="2026-06-30")
        assert figures(result, "stage", "longest_days") == [("prospecting", 0)]


class TestLossReasons:
    """R-43."""

    @pytest.fixture
    def company(self, company: Company) -> Company:
        for deal, amount, reason, currency, from_stage in (
            ("D1", "100", LossReason.PRICE, "EUR", "proposal"),
            ("D2", "200", LossReason.PRICE, "EUR", "proposal"),
            ("D3", "400", LossReason.PRICE, "USD", "negotiation"),
            ("D4", "800", LossReason.PRODUCT_GAP, "EUR", "prospecting"),
        ):
            company.open(deal, on="2026-01-01", amount=amount, currency=currency)
            lost = OpportunityLost(
                from_stage=from_stage, amount=Decimal(amount), currency=currency, reason=reason, competitor="Rival"
            )
            company.record(deal, lost, on=f"2026-0{2 if deal != 'D2' else 3}-01")
        return company

    def test_by_reason(self, company: Company) -> None:
        result = company.report("loss-reasons")
        assert figures(result, "reason", "currency", "lost", "share", "amount", "median_days", "mostly_from") == [
            ("price", "EUR", 2, "50", "300", "45", "proposal"),  # 31 and 59 days
            ("price", "USD", 1, "25", "400", "31", "negotiation"),
            ("product_gap", "EUR", 1, "25", "800", "31", "prospecting"),
        ]
        assert result.totals == {"lost": 4, "amount": {"EUR": Decimal(1100), "USD": Decimal(400)}}

    def test_by_stage_in_a_period(self, company: Company) -> None:
        result = company.report("loss-reasons", group_by="stage", to="2026-02-28")
        assert figures(result, "stage", "currency", "lost", "mostly_because") == [
            ("negotiation", "USD", 1, "price"),
            ("proposal", "EUR", 1, "price"),
            ("prospecting", "EUR", 1, "product_gap"),
        ]
