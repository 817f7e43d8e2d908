"""Promises to pay."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import DATED_IN_ORDER, ORDERED, ordered
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.receivable import PaymentPromised
from ltc_events.schemas.record import Record


class PaymentPromises(Projection):
    """Promises to pay, one row each; the last one of an invoice counts (R-67)."""

    table, version, key = "payment_promises", 2, ("position",)
    append_only = True
    checks = DATED_IN_ORDER
    columns = {
        **POSITION,
        **ORDERED,
        "invoice_id": column("uuid", "the invoice"),
        "promised_on": column("date", "day by which it will be paid"),
        "amount": column("numeric", "amount that will be paid, in the invoice's currency"),
        "promised_by": column("text", "who promised"),
    }
    indexes = (("invoice_id",),)

    @on(PaymentPromised)
    def promised(self, event: PaymentPromised, record: Record) -> Iterator[Operation]:
        yield Put(
            record.position,
            **ordered(record),
            invoice_id=record.subject,
            promised_on=event.promised_on,
            amount=event.amount,
            promised_by=event.by,
        )
