"""Customers as they are known today."""

from collections.abc import Iterator
from typing import Any

from ltc_events.kernel.search_form import search_form
from ltc_events.projections.declaration.projection import Column, Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import times
from ltc_events.schemas.customer import (
    CustomerRegistered,
    CustomerStage,
    ProfileEvent,
    ProfileUpdated,
    ProspectRegistered,
    StubRegistered,
)
from ltc_events.schemas.record import Record

PROFILE: dict[str, Column] = {
    "name": column("text", "the customer's name"),
    "industry": column("text", "industry"),
    "size": column("text", "size, in the words of whoever registered it"),
    "country": column("text", "country (ISO 3166)"),
    "region": column("text", "sales region"),
    "phone": column("text", "telephone number as it came"),
    "email": column("text", "e-mail address"),
    "website": column("text", "website"),
    "registration_number": column("text", "number in the register of companies"),
    "preferences": column("text", "what the customer prefers"),
    "vat_id": column("text", "VAT id, with its country in front"),
    "lei": column("text", "legal entity identifier (ISO 17442)"),
    "iban": column("text", "bank account (ISO 13616)"),
    "bic": column("text", "the bank's identifier code (ISO 9362)"),
}
PHONE_E164: dict[str, Column] = {
    "phone_e164": column("text", "the same in E.164, where it is known to be in use in the customer's country"),
}


def given(event: ProfileEvent) -> dict[str, Any]:
    """The fields of a profile that have a value; those left out say nothing. A telephone number goes with its form in E.164."""
    said = {name: value for name in PROFILE if (value := getattr(event.profile, name)) is not None}
    return said if event.profile.phone is None else {**said, "phone_e164": event.phone_e164}


class Customers(Projection):
    """Customers with their profile as it is now, one row each (R-24, R-25). What it was, `customer_profiles` knows."""

    table, version, key = "customers", 5, ("customer_id",)
    columns = {
        "customer_id": column("uuid", "the customer"),
        **PROFILE,
        **PHONE_E164,
        "stage": column("text", "customer; or prospect, stub: only a lead or another reference has begun the record"),
        "registered_position": column("int8", "position of the registration in the log, the last one where there are several"),
        "registered_on": column("date", "business date of the registration"),
        "occurred_at": column("timestamptz", "when the registration happened"),
        "recorded_at": column("timestamptz", "when the registration was recorded"),
        "changed_position": column("int8", "position of the last change in the log"),
        "changed_on": column("date", "business date of the last change"),
        "search_name": column("text", "the name as it is searched for: without case, accents and punctuation"),
        "search_name_reversed": column("text", "the same from its end, which finds names that are mistyped at their beginning"),
    }
    indexes = (("search_name",), ("search_name_reversed",))

    @on(CustomerRegistered)
    def registered(self, event: CustomerRegistered, record: Record) -> Iterator[Operation]:
        yield _registered(CustomerStage.CUSTOMER, record, given(event))

    @on(ProspectRegistered)
    def prospect(self, event: ProspectRegistered, record: Record) -> Iterator[Operation]:
        yield _registered(CustomerStage.PROSPECT, record, given(event))

    @on(StubRegistered)
    def stub(self, _event: StubRegistered, record: Record) -> Iterator[Operation]:
        yield _registered(CustomerStage.STUB, record, {})

    @on(ProfileUpdated)
    def updated(self, event: ProfileUpdated, record: Record) -> Iterator[Operation]:
        said = given(event)
        yield Put(
            record.subject,
            changed_position=record.position,
            changed_on=record.effective_on,
            **said,
            **_searched(said.get("name")),
        )


def _registered(stage: CustomerStage, record: Record, said: dict[str, Any]) -> Put:
    """The row after a registration: what an earlier one knew of the customer stays where this one says nothing."""
    moment = times(record)
    return Put(
        record.subject,
        stage=stage,
        registered_position=record.position,
        registered_on=moment.pop("effective_on"),
        changed_position=record.position,
        changed_on=record.effective_on,
        **moment,
        **said,
        **_searched(said.get("name")),
    )


def _searched(name: str | None) -> dict[str, str]:
    if name is None:
        return {}
    form = search_form(name)
    return {"search_name": form, "search_name_reversed": form[::-1]}
