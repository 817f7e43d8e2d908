"""Reports on the work with leads, on a real database, held against figures worked out by hand."""

from decimal import Decimal

import pytest
from tests.small_company import Company, figures, id_of

from ltc_events.schemas.follow_up import FirstResponseRecorded, FollowUpCompleted, FollowUpMissed, FollowUpScheduled
from ltc_events.schemas.lead import (
    LeadAccepted,
    LeadAssigned,
    LeadDisqualified,
    LeadRejected,
    LeadScored,
    Priority,
    Temperature,
    TemperatureChanged,
)
from ltc_events.store import Database, EventStore


@pytest.fixture
def company(database: Database, event_store: EventStore) -> Company:
    return Company(database, event_store)


class TestSpeedToLead:
    """R-17."""

    @pytest.fixture
    def company(self, company: Company) -> Company:
        """All captured on 1 February at 08:00; a response is due at 08:00 on the next day."""
        at = {"on": "2026-02-01", "at": "2026-02-01T08:00:00"}
        for name in ("in 10 minutes", "in 30 minutes", "late", "never", "closed"):
            company.capture(name, **at)
        company.capture("urgent", **at, priority=Priority.URGENT)
        for name, answered_at, in_time in (
            ("in 10 minutes", "2026-02-01T08:10:00", True),
            ("in 30 minutes", "2026-02-01T08:30:00", True),
            ("late", "2026-02-03T08:00:00", False),
        ):
            answer = FirstResponseRecorded(by="Olga", in_time=in_time)
            company.record(name, answer, on=answered_at[:10], at=answered_at)
        company.record("closed", LeadDisqualified(reason="a test"), on="2026-02-01", at="2026-02-01T09:00:00")
        return company

    def test_the_day_after_all_is_decided(self, company: Company) -> None:
        result = company.report("speed-to-lead", as_of="2026-02-10")
        columns = (
            "priority",
            "leads",
            "answered",
            "in_time",
            "breaches",
            "waiting",
            "in_time_percent",
            "median_minutes",
            "p90_minutes",
        )
        assert figures(result, *columns) == [
            ("urgent", 1, 0, 0, 1, 0, "0", None, None),
            ("normal", 5, 3, 2, 2, 0, "50", "30", "2310"),  # 10, 30 and 2880 minutes: p90 30 + 0.8 × 2850
        ]

    def test_until_the_end_of_the_day_nothing_is_late(self, company: Company) -> None:
        result = company.report("speed-to-lead", as_of="2026-02-01")
        columns = ("priority", "leads", "answered", "in_time", "breaches", "waiting", "in_time_percent")
        assert figures(result, *columns) == [
            ("urgent", 1, 0, 0, 0, 1, None),
            ("normal", 5, 2, 2, 0, 2, "100"),
        ]


class TestSourcesThatKeepNoResponses:
    """Leads that were taken in when their response was due already, from systems that tell of none."""

    COLUMNS = ("leads", "answered", "breaches", "waiting", "not_recorded", "in_time_percent")

    def test_they_are_no_breaches(self, company: Company) -> None:
        for number in range(3):
            company.capture(f"crm {number}", on="2026-02-01", references={"crm": f"{number}", "page": "x"})
        company.capture("form", on="2026-02-01", references={"form": "1"})
        company.capture("form too", on="2026-02-01", references={"form": "2"})
        answer = FirstResponseRecorded(by="Olga", in_time=True)
        position = company.record("form", answer, on="2026-02-01", at="2026-02-01T13:00:00")
        columns = self.COLUMNS
        assert figures(company.report("speed-to-lead", as_of="2026-02-10"), *columns) == [(5, 1, 1, 0, 3, "50")]
        # Before anything is due, all wait.
        assert figures(company.report("speed-to-lead", as_of="2026-02-01"), *columns) == [(5, 1, 0, 4, 0, "100")]
        assert figures(company.report("speed-to-lead", as_of="2026-02-10", known_at=position - 1), *columns) == [
            (5, 0, 0, 0, 5, None)
        ]
        # Once the system tells of one response, it keeps them: the others are breaches.
        company.record("crm 1", answer, on="2026-02-11", at="2026-02-11T13:00:00")
        assert figures(company.report("speed-to-lead", as_of="2026-02-11"), *columns) == [(5, 2, 3, 0, 0, "40")]

    def test_a_lead_that_was_known_in_time_is_a_breach_all_the_same(self, company: Company) -> None:
        company.capture("new", on="2026-02-01", response_due_at="2999-01-01T00:00:00Z")
        assert figures(company.report("speed-to-lead", as_of="2999-02-01"), *self.COLUMNS) == [(1, 0, 1, 0, 0, "0")]


class TestWorklist:
    """R-16 … R-19."""

    def test_what_is_to_be_done_the_most_urgent_first(self, company: Company) -> None:
        company.capture("fresh", on="2026-02-01", priority=Priority.LOW)
        company.capture("hot", on="2026-02-01", priority=Priority.URGENT)
        company.record(
            "hot",
            LeadAccepted(),
            LeadScored(score=Decimal(40), points={}, inputs={}, model_version=1),
            LeadScored(score=Decimal(70), points={}, inputs={}, model_version=1),
            TemperatureChanged(was=Temperature.COLD, temperature=Temperature.HOT),
            LeadAssigned(owner="Otto", rule="manual", rule_version=0),
            LeadAssigned(owner="Olga", rule="manual", rule_version=0),
            on="2026-02-01",
        )
        company.capture("worked", on="2026-01-01")
        company.qualify("worked", on="2026-01-02", owner="Otto")
        for follow_up, due_at in (
            ("done", "2026-01-10T09:00:00Z"),
            ("missed", "2026-01-20T09:00:00Z"),
            ("tomorrow", "2026-02-02T09:00:00Z"),
            ("later", "2026-02-09T09:00:00Z"),
        ):
            company.record(
                "worked", FollowUpScheduled(follow_up_id=id_of(follow_up), due_at=due_at, note=follow_up), on="2026-01-03"
            )
        company.record("worked", FollowUpCompleted(follow_up_id=id_of("done")), on="2026-01-10")
        company.record("worked", FollowUpMissed(follow_up_id=id_of("missed")), on="2026-01-21")
        company.capture("closed", on="2026-01-01")
        company.record("closed", LeadRejected(failed=("specific_customer",), reason="a trend"), on="2026-01-02")

        result = company.report("worklist", as_of="2026-02-01", days=1)
        columns = ("kind", "note", "overdue", "owner", "priority", "temperature", "score", "status")
        assert figures(result, *columns) == [
            ("follow_up", "missed", True, "Otto", "normal", "cold", None, "qualified"),
            ("follow_up", "tomorrow", False, "Otto", "normal", "cold", None, "qualified"),
            ("unanswered", "pumps", False, "Olga", "urgent", "hot", "70", "accepted"),
            ("unanswered", "pumps", False, None, "low", "cold", None, "captured"),
            ("unassigned", "pumps", False, None, "low", "cold", None, "captured"),
        ]
        olga = company.report("worklist", as_of="2026-02-05", owner="Olga")
        assert figures(olga, "kind", "overdue") == [("unanswered", True)]
        before_it_was_done = company.report("worklist", as_of="2026-01-09", days=1)
        assert figures(before_it_was_done, "kind", "note") == [("follow_up", "done")]
