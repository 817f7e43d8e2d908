"""Customer: register, keep the profile current, link other systems' names, add contacts (R-24 … R-26, R-29, R-30, R-73)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, AlreadyExists, BrokenStream, DoesNotExist
from ltc_events.aggregates.completeness import require_customer_fields
from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.base import Event
from ltc_events.schemas.customer import (
    AddContact,
    ContactAdded,
    CustomerRegistered,
    LinkReference,
    Profile,
    ProfileUpdated,
    ReferenceLinked,
    RegisterCustomer,
    UpdateProfile,
)

CustomerCommand = RegisterCustomer | UpdateProfile | LinkReference | AddContact
CustomerEvent = CustomerRegistered | ProfileUpdated | ReferenceLinked | ContactAdded
CONTACTS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Customer:
    """What later commands of a customer are held against."""

    profile: Profile
    references: Mapping[str, str]
    contacts: frozenset[UUID] = frozenset()


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
    """What a customer's command leads to."""
    if isinstance(command, RegisterCustomer):
        if state is not None:
            raise AlreadyExists(noun="customer")
        policy = policies.required_fields
        require_customer_fields(command.profile, policy)
        return [CustomerRegistered(profile=command.profile, references=command.references, policy_version=policy.version)]
    if state is None:
        raise DoesNotExist(noun="customer", first=RegisterCustomer.type)
    match command:
        case UpdateProfile():
            return _update(state.profile, command.profile)
        case LinkReference():
            if state.references.get(command.system) == command.reference:
                return []
            return [ReferenceLinked(system=command.system, reference=command.reference)]
        case AddContact():
            return [_add_contact(state, command)]
        case _:
            assert_never(command)


def _update(profile: Profile, update: Profile) -> list[Event]:
    """Only what really changes is recorded; an update that says what is known already records nothing."""
    given = [(name, value) for name in Profile.model_fields if (value := getattr(update, name)) is not None]
    if not given:
        raise EmptyUpdate(known=", ".join(Profile.model_fields))
    changes = {name: value for name, value in given if value != getattr(profile, name)}
    return [ProfileUpdated(profile=Profile(**changes))] if changes else []


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
    )


def evolve(state: Customer | None, event: CustomerEvent) -> Customer:
    """A customer after an event."""
    if isinstance(event, CustomerRegistered):
        return Customer(event.profile, event.references)
    if state is None:
        raise BrokenStream(noun="customer", event=event.type)
    match event:
        case ProfileUpdated():
            changes = event.profile.model_dump(exclude_none=True)
            return replace(state, profile=state.profile.model_copy(update=changes))
        case ReferenceLinked():
            return replace(state, references={**state.references, event.system: event.reference})
        case ContactAdded():
            return replace(state, contacts=state.contacts | {event.contact_id})
        case _:
            assert_never(event)


CUSTOMER = Aggregate("customer", decide, evolve)
