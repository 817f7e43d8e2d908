"""What was said about customers, and when."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.customers import PHONE_E164, PROFILE, given
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.customer import CustomerRegistered, ProfileUpdated, ProspectRegistered
from ltc_events.schemas.record import Record


class CustomerProfiles(Projection):
    """What was said about a customer: one row per registration (as a prospect too) or update, never changed. A field that is
    null was not mentioned; the last row that mentions it, up to a date and position, says what it was by then (R-24, R-27)."""

    table, version, key = "customer_profiles", 3, ("position",)
    append_only = True
    columns = {**POSITION, **TIMES, "customer_id": column("uuid", "the customer"), **PROFILE, **PHONE_E164}
    indexes = (("customer_id", "position"),)

    @on(ProspectRegistered, CustomerRegistered, ProfileUpdated)
    def recorded(self, event: ProspectRegistered | CustomerRegistered | ProfileUpdated, record: Record) -> Iterator[Operation]:
        yield Put(record.position, **times(record), customer_id=record.subject, **given(event))
