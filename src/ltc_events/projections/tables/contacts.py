"""People who speak for customers."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.customers import PHONE_E164
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.customer import ContactAdded
from ltc_events.schemas.record import Record


class Contacts(Projection):
    """People who speak for a customer, one row each (R-24)."""

    table, version, key = "contacts", 2, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **TIMES,
        "customer_id": column("uuid", "the customer"),
        "contact_id": column("uuid", "the person"),
        "name": column("text", "the person's name"),
        "role": column("text", "what the person does there"),
        "phone": column("text", "telephone number as it came"),
        **PHONE_E164,
        "email": column("text", "e-mail address"),
    }
    indexes = (("customer_id",),)

    @on(ContactAdded)
    def added(self, event: ContactAdded, record: Record) -> Iterator[Operation]:
        yield Put(
            record.position,
            **times(record),
            customer_id=record.subject,
            contact_id=event.contact_id,
            name=event.name,
            role=event.role,
            phone=event.phone,
            phone_e164=event.phone_e164,
            email=event.email,
        )
