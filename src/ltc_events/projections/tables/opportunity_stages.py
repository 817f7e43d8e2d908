"""Through which stages opportunities went."""

from collections.abc import Iterator
from typing import Any

from ltc_events.kernel.money import HUNDRED, ZERO
from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, STEPPED, stepped
from ltc_events.schemas.opportunity import OpportunityLost, OpportunityOpened, OpportunityReopened, OpportunityWon, StageChanged
from ltc_events.schemas.record import Record


class OpportunityStages(Projection):
    """Through which stages opportunities went: one row per stage entered, never changed (R-37 … R-39, R-43). Won and lost are
    stages too, which a deal leaves when it is opened again. The last row of an opportunity up to a date and position is the
    stage it was in by then, with the probability that was believed."""

    table, version, key = "opportunity_stages", 2, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **STEPPED,
        "customer_id": column("uuid", "the customer"),
        "opportunity_id": column("uuid", "the opportunity"),
        "stage": column("text", "the stage entered"),
        "from_stage": column("text", "the stage left"),
        "probability": column("numeric", "probability of winning it, in percent, as believed from then on"),
        "backward": column("bool", "whether it went back to an earlier stage"),
        "amount": column("numeric", "won, lost: what the deal was worth"),
        "currency": column("text", "won, lost: currency of the amount (ISO 4217)"),
        "reason": column("text", "why it went back, was lost, was won without a quote, or was opened again"),
        "competitor": column("text", "lost: to whom"),
        "quote_id": column("uuid", "won: by which accepted quote"),
        "policy_version": column("int4", "version of the policy `stages`"),
    }
    indexes = (("opportunity_id", "position"),)

    @on(OpportunityOpened)
    def opened(self, event: OpportunityOpened, record: Record) -> Iterator[Operation]:
        yield _entered(record, event.stage, probability=event.probability, backward=False, policy_version=event.policy_version)

    @on(StageChanged)
    def moved(self, event: StageChanged, record: Record) -> Iterator[Operation]:
        yield _entered(
            record,
            event.stage,
            from_stage=event.from_stage,
            probability=event.probability,
            backward=event.backward,
            reason=event.reason,
            policy_version=event.policy_version,
        )

    @on(OpportunityWon)
    def won(self, event: OpportunityWon, record: Record) -> Iterator[Operation]:
        yield _entered(
            record,
            "won",
            from_stage=event.from_stage,
            probability=HUNDRED,
            backward=False,
            amount=event.amount,
            currency=event.currency,
            reason=event.reason,
            quote_id=event.quote_id,
        )

    @on(OpportunityLost)
    def lost(self, event: OpportunityLost, record: Record) -> Iterator[Operation]:
        yield _entered(
            record,
            "lost",
            from_stage=event.from_stage,
            probability=ZERO,
            backward=False,
            amount=event.amount,
            currency=event.currency,
            reason=event.reason,
            competitor=event.competitor,
        )

    @on(OpportunityReopened)
    def reopened(self, event: OpportunityReopened, record: Record) -> Iterator[Operation]:
        yield _entered(
            record,
            event.stage,
            from_stage=event.was,
            probability=event.probability,
            backward=True,
            reason=event.reason,
            policy_version=event.policy_version,
        )


def _entered(record: Record, stage: str, **values: Any) -> Operation:
    place = {"customer_id": record.customer_id, "opportunity_id": record.subject, "stage": stage}
    return Put(record.position, **stepped(record), **place, **values)
