"""On a simulated company: what tables say now, what their histories add up to, and what reports say, is one story."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ltc_events.projections.declaration.names import Connection
from ltc_events.reports.registry import NAMES
from ltc_events.reports.runner import Result, run
from ltc_events.store import Database, Role

LATER = "2099-12-31"


@pytest.fixture
def reader(company: Database) -> Iterator[Connection]:
    with company.connect(Role.READER, autocommit=True) as connection:
        yield connection


def one(connection: Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0] if len(row) == 1 else row


def column(result: Result, name: str) -> list[Any]:
    place = [one.name for one in result.columns].index(name)
    return [row[place] for row in result.rows]


@pytest.mark.parametrize(
    "disagreements",
    [
        """SELECT count(*) FROM ltc_read.opportunities o WHERE (o.stage, o.probability) IS DISTINCT FROM
           (SELECT (stage, probability) FROM ltc_read.opportunity_stages s
            WHERE s.opportunity_id = o.opportunity_id ORDER BY position DESC LIMIT 1)""",
        """SELECT count(*) FROM ltc_read.opportunities o WHERE o.amount IS DISTINCT FROM
           (SELECT amount FROM ltc_read.opportunity_amounts a
            WHERE a.opportunity_id = o.opportunity_id AND amount IS NOT NULL ORDER BY position DESC LIMIT 1)""",
        """SELECT count(*) FROM ltc_read.leads l WHERE l.owner IS DISTINCT FROM
           (SELECT person FROM ltc_read.lead_steps s
            WHERE s.lead_id = l.lead_id AND step = 'assigned' ORDER BY position DESC LIMIT 1)""",
        """SELECT count(*) FROM ltc_read.leads l WHERE l.status IN ('rejected', 'converted', 'disqualified') AND l.status <>
           (SELECT step FROM ltc_read.lead_steps s WHERE s.lead_id = l.lead_id ORDER BY position DESC LIMIT 1)""",
        """SELECT count(*) FROM ltc_read.quotes q WHERE q.net IS DISTINCT FROM
           (SELECT sum(net) FROM ltc_read.quote_lines l WHERE l.position =
               (SELECT max(position) FROM ltc_read.quote_steps s WHERE s.quote_id = q.quote_id AND s.step = 'priced'))""",
        """SELECT count(*) FROM ltc_read.customers c WHERE c.name IS DISTINCT FROM
           (SELECT name FROM ltc_read.customer_profiles p
            WHERE p.customer_id = c.customer_id AND name IS NOT NULL ORDER BY position DESC LIMIT 1)""",
        """SELECT count(*) FROM ltc_read.campaigns c WHERE c.cost <>
           (SELECT coalesce(sum(amount), 0) FROM ltc_read.campaign_costs x WHERE x.campaign_id = c.campaign_id)""",
    ],
)
def test_what_a_table_says_now_is_what_its_history_ends_with(reader: Connection, disagreements: str) -> None:
    assert one(reader, disagreements) == 0


def test_the_timeline_has_no_gap(company: Database, reader: Connection) -> None:
    with company.connect(Role.PROJECTOR, autocommit=True) as projector:
        events = one(projector, "SELECT count(*), max(position) FROM ltc.events")
    assert one(reader, "SELECT count(*), max(position) FROM ltc_read.timeline") == events
    assert events[0] == events[1]


def test_the_pipeline_is_what_is_open(company: Database, reader: Connection) -> None:
    result = run(company, "pipeline", as_of=LATER)
    count, amount, weighted = one(
        reader,
        "SELECT count(*), sum(amount), sum(amount * probability / 100) FROM ltc_read.opportunities WHERE status = 'open'",
    )
    assert result.totals["opportunities"] == count
    assert sum(result.totals["amount"].values()) == amount
    assert sum(result.totals["weighted"].values()) == weighted


def test_funnel_channels_and_losses_count_the_same_leads_and_deals(company: Database, reader: Connection) -> None:
    funnel = dict(zip(*(column(run(company, "funnel", as_of=LATER), name) for name in ("step", "leads")), strict=True))
    channels = run(company, "channels", as_of=LATER)
    by_campaign = run(company, "channels", as_of=LATER, parameters={"group_by": "campaign"})
    leads = one(reader, "SELECT count(*) FROM ltc_read.leads")
    assert funnel["captured"] == channels.totals["leads"] == by_campaign.totals["leads"] == leads > 0
    assert funnel["converted"] == channels.totals["converted"]
    won, amount = one(reader, "SELECT count(*), sum(amount) FROM ltc_read.opportunities WHERE status = 'won'")
    assert channels.totals["won"] == won
    assert sum(channels.totals["won_amount"].values()) == sum(by_campaign.totals["won_amount"].values()) == amount
    assert sum(channels.totals["cost"].values()) == one(reader, "SELECT sum(amount) FROM ltc_read.campaign_costs")
    lost = one(reader, "SELECT count(*) FROM ltc_read.opportunities WHERE status = 'lost'")
    assert run(company, "loss-reasons", as_of=LATER).totals["lost"] == lost > 0


def test_leakage_is_the_same_however_it_is_grouped(company: Database, reader: Connection) -> None:
    accepted = one(reader, "SELECT sum(net) FROM ltc_read.quotes WHERE status = 'accepted'")
    for group_by in ("sku", "customer", "requester"):
        totals = run(company, "leakage", as_of=LATER, parameters={"group_by": group_by}).totals
        net = sum(totals["net"].values())
        assert net == accepted > 0
        assert sum(totals["list_amount"].values()) - sum(totals["discount"].values()) == net


def test_stages_that_are_still_open_are_the_open_deals(company: Database, reader: Connection) -> None:
    still_open = run(company, "stage-durations", as_of=LATER).totals["still_open"]
    assert still_open == one(reader, "SELECT count(*) FROM ltc_read.opportunities WHERE status = 'open'")


def test_every_lead_is_answered_breached_waiting_or_closed(company: Database) -> None:
    totals = run(company, "speed-to-lead", as_of=LATER).totals
    assert totals["waiting"] == 0
    assert 0 < totals["in_time"] <= totals["answered"] <= totals["leads"]
    assert totals["breaches"] <= totals["leads"] - totals["in_time"]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "customer"])
def test_a_report_of_the_past_is_the_same_when_it_is_asked_again(company: Database, name: str) -> None:
    head = run(company, name).position
    once = run(company, name, as_of="2025-06-30", known_at=head // 2)
    again = run(company, name, as_of="2025-06-30", known_at=head // 2)
    assert (once.rows, once.totals, once.position) == (again.rows, again.totals, again.position)
    assert once.position >= head // 2


def test_the_customers_page_agrees_with_what_is_open(company: Database, reader: Connection) -> None:
    customer, open_amount = one(
        reader,
        "SELECT customer_id, sum(outstanding) FROM ltc_read.open_items WHERE kind = 'invoice'"
        " GROUP BY customer_id ORDER BY sum(outstanding) DESC LIMIT 1",
    )
    result = run(company, "customer", as_of=LATER, parameters={"customer": customer})
    amounts = {(row[1]): row[6] for row in result.rows if row[0] == "amount"}
    assert amounts["receivables"] == open_amount > 0
    assert amounts["overdue"] == Decimal(open_amount)
