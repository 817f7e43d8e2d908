"""Customers as they are known today."""

from collections.abc import Iterator
from typing import Any

from ltc_events.projections.base import Column, Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import times
from ltc_events.schemas.customer import CustomerRegistered, Profile, ProfileUpdated
from ltc_events.schemas.record import Record

PROFILE: dict[str, Column] = {
    "name": column("text", "the customer's name"),
    "industry": column("text", "industry"),
    "size": column("text", "size, in the words of whoever registered it"),
    "country": column("text", "country"),
    "region": column("text", "sales region"),
    "phone": column("text", "telephone number"),
    "email": column("text", "e-mail address"),
    "website": column("text", "website"),
    "registration_number": column("text", "number in the register of companies"),
    "preferences": column("text", "what the customer prefers"),
}


def given(profile: Profile) -> dict[str, Any]:
    """The fields of a profile that have a value; those left out say nothing."""
    return {name: value for name in PROFILE if (value := getattr(profile, name)) is not None}


class Customers(Projection):
    """Customers with their profile as it is now, one row each (R-24, R-25). What it was, `customer_profiles` knows."""

    table, version, key = "customers", 1, ("customer_id",)
    columns = {
        "customer_id": column("uuid", "the customer"),
        **PROFILE,
        "registered_position": column("int8", "position of the registration in the log"),
        "registered_on": column("date", "business date of the registration"),
        "occurred_at": column("timestamptz", "when the registration happened"),
        "recorded_at": column("timestamptz", "when the registration was recorded"),
        "changed_position": column("int8", "position of the last change in the log"),
        "changed_on": column("date", "business date of the last change"),
    }

    @on(CustomerRegistered)
    def registered(self, event: CustomerRegistered, record: Record) -> Iterator[Operation]:
        moment = times(record)
        yield Put(
            record.subject,
            registered_position=record.position,
            registered_on=moment.pop("effective_on"),
            changed_position=record.position,
            changed_on=record.effective_on,
            **moment,
            **given(event.profile),
        )

    @on(ProfileUpdated)
    def updated(self, event: ProfileUpdated, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, changed_position=record.position, changed_on=record.effective_on, **given(event.profile))
