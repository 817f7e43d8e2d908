"""Disputes over invoices."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import DATED_IN_ORDER, ORDERED, ordered
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.receivable import DisputeResolved, InvoiceDisputed
from ltc_events.schemas.record import Record


class InvoiceDisputes(Projection):
    """Disputes over invoices: one row when one begins and one when it is settled (R-66)."""

    table, version, key = "invoice_disputes", 2, ("position",)
    append_only = True
    checks = DATED_IN_ORDER
    columns = {
        **POSITION,
        **ORDERED,
        "invoice_id": column("uuid", "the invoice"),
        "kind": column("text", "disputed or resolved"),
        "note": column("text", "why it is contested, or how it was settled"),
    }
    indexes = (("invoice_id",),)

    @on(InvoiceDisputed)
    def disputed(self, event: InvoiceDisputed, record: Record) -> Iterator[Operation]:
        yield _step(record, "disputed", event.reason)

    @on(DisputeResolved)
    def resolved(self, event: DisputeResolved, record: Record) -> Iterator[Operation]:
        yield _step(record, "resolved", event.resolution)


def _step(record: Record, kind: str, note: str) -> Put:
    return Put(
        record.position,
        **ordered(record),
        invoice_id=record.subject,
        kind=kind,
        note=note,
    )
