"""Opportunities: how they began, and where they stand."""

from collections.abc import Iterator

from ltc_events.kernel.money import HUNDRED, ZERO
from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import TIMES, times
from ltc_events.schemas.opportunity import (
    AmountChanged,
    CloseDateChanged,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityWon,
    OwnerChanged,
    StageChanged,
    TitleChanged,
)
from ltc_events.schemas.record import Record


class Opportunities(Projection):
    """Opportunities, one row each: how they began and where they stand now (R-37 … R-43). The times are those of the opening.
    `opportunity_stages`, `opportunity_amounts` and `opportunity_details` have what a deal was at an earlier date or position."""

    table, version, key = "opportunities", 2, ("opportunity_id",)
    columns = {
        "opportunity_id": column("uuid", "the opportunity"),
        "position": column("int8", "position of its opening in the log"),
        **TIMES,
        "customer_id": column("uuid", "the customer"),
        "lead_id": column("uuid", "the lead it came from"),
        "title": column("text", "its current title"),
        "channel": column("text", "channel of its lead, or its own where it had none"),
        "origin": column("text", "what the source calls that channel"),
        "campaign_id": column("uuid", "the campaign that brought it"),
        "owner": column("text", "its current owner"),
        "external_references": column("jsonb", "its names in other systems"),
        "status": column("text", "open, won or lost"),
        "stage": column("text", "its stage; won or lost when it is closed"),
        "probability": column("numeric", "believed probability of winning it, in percent"),
        "amount": column("numeric", "what it is believed to be worth"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "expected_close_on": column("date", "when it is expected to close"),
        "closed_on": column("date", "when it was won or lost"),
        "quote_id": column("uuid", "the accepted quote it was won by"),
        "reason": column("text", "why it was lost, or won without a quote"),
    }
    indexes = (("customer_id",), ("lead_id",))

    @on(OpportunityOpened)
    def opened(self, event: OpportunityOpened, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            position=record.position,
            **times(record),
            customer_id=record.customer_id,
            lead_id=event.lead_id,
            title=event.title,
            channel=event.channel,
            origin=event.origin,
            campaign_id=event.campaign_id,
            owner=event.owner,
            external_references=event.references,
            status="open",
            stage=event.stage,
            probability=event.probability,
            amount=event.amount,
            currency=event.currency,
            expected_close_on=event.expected_close_on,
        )

    @on(StageChanged)
    def moved(self, event: StageChanged, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, stage=event.stage, probability=event.probability)

    @on(AmountChanged)
    def amount_changed(self, event: AmountChanged, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, amount=event.amount)

    @on(CloseDateChanged)
    def close_date_changed(self, event: CloseDateChanged, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, expected_close_on=event.expected_close_on)

    @on(TitleChanged)
    def title_changed(self, event: TitleChanged, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, title=event.title)

    @on(OwnerChanged)
    def owner_changed(self, event: OwnerChanged, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, owner=event.owner)

    @on(OpportunityWon)
    def won(self, event: OpportunityWon, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            status="won",
            stage="won",
            probability=HUNDRED,
            amount=event.amount,
            closed_on=record.effective_on,
            quote_id=event.quote_id,
            reason=event.reason,
        )

    @on(OpportunityLost)
    def lost(self, event: OpportunityLost, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            status="lost",
            stage="lost",
            probability=ZERO,
            amount=event.amount,
            closed_on=record.effective_on,
            reason=event.reason,
        )

    @on(OpportunityReopened)
    def reopened(self, event: OpportunityReopened, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            status="open",
            stage=event.stage,
            probability=event.probability,
            closed_on=None,
            quote_id=None,
            reason=None,
        )
