"""Campaigns as they stand."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import TIMES, times
from ltc_events.schemas.campaign import CampaignClosed, CampaignCostRecorded, CampaignLaunched, CampaignPlanned
from ltc_events.schemas.record import Record


class Campaigns(Projection):
    """Campaigns with their plan and what they have cost so far, one row each (R-11). The times are those of the plan."""

    table, version, key = "campaigns", 1, ("campaign_id",)
    columns = {
        "campaign_id": column("uuid", "the campaign"),
        "position": column("int8", "position of its planning in the log"),
        **TIMES,
        "title": column("text", "its name"),
        "channel": column("text", "the channel it runs on"),
        "status": column("text", "planned, running or closed"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "budget": column("numeric", "what it may cost"),
        "expected_revenue": column("numeric", "what it shall bring"),
        "cost": column("numeric", "what it has cost so far", default="0"),
        "starts_on": column("date", "planned first day"),
        "ends_on": column("date", "planned last day"),
        "launched_on": column("date", "when it started"),
        "closed_on": column("date", "when it ended"),
        "external_references": column("jsonb", "its names in other systems"),
    }

    @on(CampaignPlanned)
    def planned(self, event: CampaignPlanned, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            position=record.position,
            **times(record),
            title=event.title,
            channel=event.channel,
            status="planned",
            currency=event.currency,
            budget=event.budget,
            expected_revenue=event.expected_revenue,
            starts_on=event.starts_on,
            ends_on=event.ends_on,
            external_references=event.references,
        )

    @on(CampaignLaunched)
    def launched(self, _: CampaignLaunched, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="running", launched_on=record.effective_on)

    @on(CampaignCostRecorded)
    def spent(self, event: CampaignCostRecorded, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, cost=event.amount)

    @on(CampaignClosed)
    def closed(self, _: CampaignClosed, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="closed", closed_on=record.effective_on)
