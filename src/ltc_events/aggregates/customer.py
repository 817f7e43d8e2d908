"""Customer: register, keep the profile current, link other systems' names, add contacts (R-24 … R-26, R-29, R-30, R-73).

A record begun by a lead or a reference is completed by the registration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, AlreadyExists, BrokenStream, DoesNotExist, require_not_before
from ltc_events.aggregates.phone import e164_of
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.registration import registration_number_in
from ltc_events.aggregates.required_fields import require_customer_fields
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import replace
from ltc_events.kernel.phone_numbers import read_phone_number
from ltc_events.schemas.base import Event
from ltc_events.schemas.customer import (
    AddContact,
    ContactAdded,
    CustomerRegistered,
    CustomerStage,
    LinkReference,
    Profile,
    ProfileEvent,
    ProfileUpdated,
    ProspectRegistered,
    ReferenceLinked,
    RegisterCustomer,
    StubRegistered,
    UpdateProfile,
)
from ltc_events.schemas.lead import LeadCaptured

CustomerCommand = RegisterCustomer | UpdateProfile | LinkReference | AddContact
CustomerEvent = ProspectRegistered | StubRegistered | CustomerRegistered | ProfileUpdated | ReferenceLinked | ContactAdded
CONTACTS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Customer:
    """The state of a customer."""

    profile: Profile
    references: Mapping[str, str]
    registered_on: date
    """When its record began: nothing that acts on it is dated before."""
    contacts: frozenset[UUID] = frozenset()
    stage: CustomerStage = CustomerStage.CUSTOMER
    phone_e164: str | None = None
    """The profile's telephone number in E.164, where it is known to be in use."""


class EmptyUpdate(Refused):
    """the update names no field of the profile"""

    field = "profile"
    remedy = "give at least one of {known}"


class ContactAlreadyAdded(Refused):
    """contact {contact_id} was added before"""

    field = "contact_id"
    remedy = "give a new contact an id of its own"


class TooManyContacts(Refused):
    """the customer has {limit} contacts, which is the most that one can have"""

    field = "contact_id"
    remedy = "register the part of the company that the contact belongs to as a customer of its own"


def decide(state: Customer | None, command: CustomerCommand, policies: Policies) -> list[Event]:
    """Decide a command on a customer. Raises Refused."""
    if isinstance(command, RegisterCustomer):
        return [_register(state, command, policies)]
    if state is None:
        raise DoesNotExist(noun="customer", first=RegisterCustomer.type)
    require_not_before(command.effective_on, state.registered_on, "the customer's registration")
    match command:
        case UpdateProfile():
            return _update(state, command.profile)
        case LinkReference():
            if state.references.get(command.system) == command.reference:
                return []
            return [ReferenceLinked(system=command.system, reference=command.reference)]
        case AddContact():
            return [_add_contact(state, command)]
        case _:
            assert_never(command)


def prospect(state: Customer | None, lead_id: UUID, lead: LeadCaptured) -> list[Event]:
    """The events of a lead on its customer's record: it begins the record or fills a stub; none for a known customer."""
    if state is not None and state.stage is not CustomerStage.STUB:
        return []
    said = Profile(
        name=lead.company or lead.contact_name, industry=lead.industry, region=lead.region, phone=lead.phone, email=lead.email
    )
    return [ProspectRegistered(profile=said, lead_id=lead_id, phone_e164=lead.phone_e164)]


def _register(state: Customer | None, command: RegisterCustomer, policies: Policies) -> CustomerRegistered:
    """Decide a registration. It may be dated before the lead that began the record."""
    if state is not None and state.stage is CustomerStage.CUSTOMER:
        raise AlreadyExists(noun="customer")
    known = Profile() if state is None else state.profile
    profile = _overlaid(known, _registered_in(known.country, command.profile))
    policy = policies.required_fields
    require_customer_fields(profile, policy)
    number = _number(profile, is_given=command.profile.phone is not None)
    return CustomerRegistered(profile=profile, references=command.references, policy_version=policy.version, phone_e164=number)


def _registered_in(country: str | None, said: Profile) -> Profile:
    """The profile with the registration number normalised for its country, or for the `country` known so far."""
    if said.registration_number is None:
        return said
    number = registration_number_in(said.country or country, said.registration_number)
    return said if number == said.registration_number else said.model_copy(update={"registration_number": number})


def _number(profile: Profile, *, is_given: bool) -> str | None:
    """The profile's telephone number in E.164, by its country. A number recorded before its country is never refused."""
    if is_given:
        return e164_of(profile.phone, profile.country, "profile.phone")
    return None if profile.phone is None else read_phone_number(profile.phone, profile.country).e164


def _overlaid(profile: Profile, later: Profile) -> Profile:
    """The profile overlaid with the fields of a later one."""
    given = {name: value for name, value in later.__dict__.items() if value is not None}
    return profile.model_copy(update=given)


def _update(state: Customer, update: Profile) -> list[Event]:
    """Record the fields that change; an update without a change records nothing.

    A new country can change the telephone number in E.164, which is recorded as well.
    """
    profile = state.profile
    update = _registered_in(profile.country, update)
    given = [(name, value) for name in Profile.model_fields if (value := getattr(update, name)) is not None]
    if not given:
        raise EmptyUpdate(known=", ".join(Profile.model_fields))
    changes = {name: value for name, value in given if value != getattr(profile, name)}
    number = state.phone_e164
    if update.phone is not None or "country" in changes:
        number = _number(_overlaid(profile, update), is_given=update.phone is not None)
        if number != state.phone_e164:
            changes["phone"] = update.phone or profile.phone
    if not changes:
        return []
    return [ProfileUpdated(profile=Profile(**changes), phone_e164=number if "phone" in changes else None)]


def _add_contact(state: Customer, command: AddContact) -> ContactAdded:
    if command.contact_id in state.contacts:
        raise ContactAlreadyAdded(contact_id=command.contact_id)
    if len(state.contacts) >= CONTACTS_MAX:
        raise TooManyContacts(limit=CONTACTS_MAX)
    return ContactAdded(
        contact_id=command.contact_id,
        name=command.name,
        role=command.role,
        phone=command.phone,
        email=command.email,
        phone_e164=e164_of(command.phone, state.profile.country, "phone"),
    )


def evolve(state: Customer | None, event: CustomerEvent, effective_on: date) -> Customer:
    """A customer after an event."""
    match event:
        case CustomerRegistered():
            return _numbered(_begun(state, event.profile, effective_on, CustomerStage.CUSTOMER, event.references), event)
        case ProspectRegistered():
            return _numbered(_begun(state, event.profile, effective_on, CustomerStage.PROSPECT), event)
        case StubRegistered():
            return _begun(state, Profile(), effective_on, CustomerStage.STUB)
    if state is None:
        raise BrokenStream(noun="customer", event=event.type)
    match event:
        case ProfileUpdated():
            return _numbered(replace(state, profile=_overlaid(state.profile, event.profile)), event)
        case ReferenceLinked():
            return replace(state, references={**state.references, event.system: event.reference})
        case ContactAdded():
            return replace(state, contacts=state.contacts | {event.contact_id})
        case _:
            assert_never(event)


def _numbered(state: Customer, event: ProfileEvent) -> Customer:
    """The fields with the E.164 number that belongs to the telephone text."""
    return state if event.profile.phone is None else replace(state, phone_e164=event.phone_e164)


def _begun(
    state: Customer | None,
    profile: Profile,
    effective_on: date,
    stage: CustomerStage,
    references: Mapping[str, str] = MappingProxyType({}),
) -> Customer:
    """The record after an event that begins or completes it."""
    if state is None:
        return Customer(profile, references, effective_on, stage=stage)
    return replace(
        state,
        profile=_overlaid(state.profile, profile),
        references={**state.references, **references},
        registered_on=min(state.registered_on, effective_on),
        stage=stage,
    )


CUSTOMER = Aggregate("customer", decide, evolve)
