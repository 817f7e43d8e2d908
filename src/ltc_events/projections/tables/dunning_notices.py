"""Reminders that went out."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import DATED_IN_ORDER, ORDERED, ordered
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.receivable import DunningNoticeSent
from ltc_events.schemas.record import Record


class DunningNotices(Projection):
    """Reminders that went out, one row each (R-66)."""

    table, version, key = "dunning_notices", 2, ("position",)
    append_only = True
    checks = DATED_IN_ORDER
    columns = {
        **POSITION,
        **ORDERED,
        "invoice_id": column("uuid", "the invoice"),
        "instalment": column("int4", "number of the instalment"),
        "level": column("int4", "how many reminders the instalment had then, this one included"),
        "days_overdue": column("int4", "days since it was due"),
        "outstanding": column("numeric", "what was owed on it"),
        "interest": column("numeric", "outstanding × rate ÷ 100 ÷ 365 × days overdue"),
        "fee": column("numeric", "fee for the reminder"),
        "total": column("numeric", "outstanding + interest + fee"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "policy_version": column("int4", "version of policy dunning"),
    }
    indexes = (("invoice_id", "instalment"),)

    @on(DunningNoticeSent)
    def sent(self, event: DunningNoticeSent, record: Record) -> Iterator[Operation]:
        yield Put(
            record.position,
            **ordered(record),
            invoice_id=record.subject,
            instalment=event.instalment,
            level=event.level,
            days_overdue=event.days_overdue,
            outstanding=event.outstanding,
            interest=event.interest,
            fee=event.fee,
            total=event.total,
            currency=event.currency,
            policy_version=event.policy_version,
        )
