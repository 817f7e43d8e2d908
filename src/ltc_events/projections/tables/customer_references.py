"""What other systems call our customers."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.customer import CustomerRegistered, ReferenceLinked
from ltc_events.schemas.record import Record


class CustomerReferences(Projection):
    """What another system calls a customer: one row each time it was said, never changed; the last one counts (R-26)."""

    table, version, key = "customer_references", 1, ("position", "system")
    append_only = True
    columns = {
        **POSITION,
        "system": column("text", "the other system"),
        **TIMES,
        "customer_id": column("uuid", "the customer"),
        "reference": column("text", "what that system calls it"),
    }
    indexes = (("customer_id",), ("reference",))

    @on(CustomerRegistered)
    def registered(self, event: CustomerRegistered, record: Record) -> Iterator[Operation]:
        for system, reference in event.references.items():
            yield Put(record.position, system, **times(record), customer_id=record.subject, reference=reference)

    @on(ReferenceLinked)
    def linked(self, event: ReferenceLinked, record: Record) -> Iterator[Operation]:
        yield Put(record.position, event.system, **times(record), customer_id=record.subject, reference=event.reference)
