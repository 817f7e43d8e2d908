"""What campaigns cost, item by item."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.campaign import CampaignCostRecorded
from ltc_events.schemas.record import Record


class CampaignCosts(Projection):
    """What was spent on campaigns: one row per cost, never changed (R-11)."""

    table, version, key = "campaign_costs", 1, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **TIMES,
        "campaign_id": column("uuid", "the campaign"),
        "cost_id": column("uuid", "the cost"),
        "channel": column("text", "the channel of the campaign"),
        "amount": column("numeric", "what was spent"),
        "currency": column("text", "its currency (ISO 4217)"),
        "note": column("text", "what for"),
    }
    indexes = (("campaign_id",),)

    @on(CampaignCostRecorded)
    def spent(self, event: CampaignCostRecorded, record: Record) -> Iterator[Operation]:
        yield Put(
            record.position,
            **times(record),
            campaign_id=record.subject,
            cost_id=event.cost_id,
            channel=event.channel,
            amount=event.amount,
            currency=event.currency,
            note=event.note,
        )
