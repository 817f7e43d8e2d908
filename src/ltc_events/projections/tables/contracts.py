"""Contracts as they stand."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
from ltc_events.schemas.contract import ContractRenewed, ContractSigned, ContractTerminated
from ltc_events.schemas.record import Record


class Contracts(Projection):
    """Contracts as they stand: one row per contract (R-56, R-62)."""

    table, version, key = "contracts", 1, ("contract_id",)
    columns = {
        "contract_id": column("uuid", "the contract"),
        "customer_id": column("uuid", "the customer"),
        "opportunity_id": column("uuid", "the opportunity it came from"),
        "quote_id": column("uuid", "the quote it came from"),
        "order_id": column("uuid", "the order it came from"),
        "title": column("text", "what it is about"),
        "status": column("text", "active, or terminated early"),
        "starts_on": column("date", "its first day"),
        "ends_on": column("date", "its last day, inclusive"),
        "value": column("numeric", "what it is worth, in its currency", default="0"),
        "currency": column("text", "currency of the value (ISO 4217)"),
        "notice_days": column("int4", "days before the last day by which it must be given notice"),
        "auto_renew": column("bool", "does it go on unless notice is given"),
        "signed_on": column("date", "when it was signed"),
        "signed_by": column("text", "who signed"),
        "terms": column("text", "what was agreed"),
        "renewals": column("int4", "how often it was prolonged", default="0"),
        "terminated_on": column("date", "when it was terminated"),
        "termination_reason": column("text", "why it was terminated"),
    }
    indexes = (("customer_id",), ("ends_on",))

    @on(ContractSigned)
    def signed(self, event: ContractSigned, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            customer_id=record.customer_id,
            opportunity_id=event.opportunity_id,
            quote_id=event.quote_id,
            order_id=event.order_id,
            title=event.title,
            status="active",
            starts_on=event.starts_on,
            ends_on=event.ends_on,
            value=event.value,
            currency=event.currency,
            notice_days=event.notice_days,
            auto_renew=event.auto_renew,
            signed_on=record.effective_on,
            signed_by=event.signed_by,
            terms=event.terms,
        )

    @on(ContractRenewed)
    def renewed(self, event: ContractRenewed, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, ends_on=event.ends_on, value=event.value, currency=event.currency)
        yield Add(record.subject, renewals=1)

    @on(ContractTerminated)
    def terminated(self, event: ContractTerminated, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            status="terminated",
            ends_on=event.ends_on,
            terminated_on=record.effective_on,
            termination_reason=event.reason,
        )
