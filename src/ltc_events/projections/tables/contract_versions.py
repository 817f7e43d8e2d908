"""How contracts came to be what they are."""

from collections.abc import Iterator
from typing import Any

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.contract import ContractRenewed, ContractSigned, ContractTerminated
from ltc_events.schemas.record import Record


class ContractVersions(Projection):
    """How contracts came to be what they are: one row per signature, renewal and termination, never changed. What a
    renewal or termination leaves as it was is null (R-62)."""

    table, version, key = "contract_versions", 1, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **WHEN,
        "contract_id": column("uuid", "the contract"),
        "kind": column("text", "signed, renewed, terminated"),
        "ends_on": column("date", "its last day from then on, inclusive"),
        "value": column("numeric", "what it is worth from then on, in its currency"),
        "currency": column("text", "currency of the value (ISO 4217)"),
        "title": column("text", "what it is about"),
        "starts_on": column("date", "its first day"),
        "notice_days": column("int4", "days before the last day by which it must be given notice"),
        "auto_renew": column("bool", "does it go on unless notice is given"),
        "reason": column("text", "why it was terminated"),
    }
    indexes = (("contract_id",),)

    @on(ContractSigned)
    def signed(self, event: ContractSigned, record: Record) -> Iterator[Operation]:
        yield _version(
            record,
            "signed",
            ends_on=event.ends_on,
            value=event.value,
            currency=event.currency,
            title=event.title,
            starts_on=event.starts_on,
            notice_days=event.notice_days,
            auto_renew=event.auto_renew,
        )

    @on(ContractRenewed)
    def renewed(self, event: ContractRenewed, record: Record) -> Iterator[Operation]:
        yield _version(record, "renewed", ends_on=event.ends_on, value=event.value, currency=event.currency)

    @on(ContractTerminated)
    def terminated(self, event: ContractTerminated, record: Record) -> Iterator[Operation]:
        yield _version(record, "terminated", ends_on=event.ends_on, reason=event.reason)


def _version(record: Record, kind: str, **values: Any) -> Put:
    return Put(
        record.position,
        **when(record),
        contract_id=record.subject,
        kind=kind,
        **values,
    )
