"""Customer: the profile that everything else hangs on (R-24, R-25, R-29, R-30, R-73)."""

from typing import ClassVar
from uuid import UUID

from ltc_events.schemas.base import Code, Command, Email, Event, Name, Phone, References, Schema


class Profile(Schema):
    """What is known about a customer; fields left out are unknown."""

    name: Name | None = None
    industry: Name | None = None
    size: Code | None = None
    country: Code | None = None
    region: Name | None = None
    phone: Phone | None = None
    email: Email | None = None
    website: Name | None = None
    registration_number: Name | None = None
    preferences: Name | None = None


class RegisterCustomer(Command):
    """Start the customer's record. Which profile fields must be filled is policy `required_fields` (R-30, R-5)."""

    type: ClassVar[str] = "customer.register.v1"
    profile: Profile
    references: References = {}


class UpdateProfile(Command):
    """Change the profile fields that are given; the others stay."""

    type: ClassVar[str] = "customer.update_profile.v1"
    profile: Profile


class LinkReference(Command):
    """Say by what name another system knows this customer (R-26)."""

    type: ClassVar[str] = "customer.link_reference.v1"
    system: Code
    reference: Name


class AddContact(Command):
    """Add a person who speaks for the customer."""

    type: ClassVar[str] = "customer.add_contact.v1"
    contact_id: UUID
    name: Name
    role: Name | None = None
    phone: Phone | None = None
    email: Email | None = None


class CustomerRegistered(Event):
    """The customer's record began."""

    type: ClassVar[str] = "customer.registered.v1"
    profile: Profile
    references: dict[str, str] = {}
    policy_version: int


class ProfileUpdated(Event):
    """Profile fields took new values; only those named changed."""

    type: ClassVar[str] = "customer.profile_updated.v1"
    profile: Profile


class ReferenceLinked(Event):
    """Another system's name for the customer was recorded."""

    type: ClassVar[str] = "customer.reference_linked.v1"
    system: str
    reference: str


class ContactAdded(Event):
    """A person who speaks for the customer was added."""

    type: ClassVar[str] = "customer.contact_added.v1"
    contact_id: UUID
    name: str
    role: str | None = None
    phone: str | None = None
    email: str | None = None
