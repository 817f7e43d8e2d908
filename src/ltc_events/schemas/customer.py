"""Customer: the profile that everything else hangs on (R-24, R-25, R-29, R-30, R-73)."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import (
    PHONE_E164,
    Bic,
    Code,
    Command,
    Country,
    Email,
    Event,
    Iban,
    Id,
    Lei,
    Name,
    Phone,
    References,
    Schema,
    VatId,
)
from ltc_events.schemas.summary_text import because, words


class CustomerStage(StrEnum):
    """How far a customer's record has come: begun by a reference to it, by a lead, or registered as a whole."""

    STUB = "stub"
    PROSPECT = "prospect"
    CUSTOMER = "customer"


class Profile(Schema):
    """What is known about a customer; fields left out are unknown."""

    name: Name | None = None
    industry: Name | None = None
    size: Code | None = None
    country: Country | None = None
    region: Name | None = None
    phone: Phone | None = None
    email: Email | None = None
    website: Name | None = None
    registration_number: Name | None = None
    preferences: Name | None = None
    vat_id: VatId | None = None
    lei: Lei | None = None
    iban: Iban | None = None
    bic: Bic | None = None


class RegisterCustomer(Command):
    """Create the customer's record, or complete that of a prospect or stub; its known values stay unless others are given.

    Policy `required_fields` says which profile fields are required (R-30, R-5).
    """

    type: ClassVar[str] = "customer.register.v1"
    profile: Profile
    references: References = {}


class UpdateProfile(Command):
    """Change the profile fields that are given; the others stay."""

    type: ClassVar[str] = "customer.update_profile.v1"
    profile: Profile


class LinkReference(Command):
    """Record the customer's name in another system (R-26)."""

    type: ClassVar[str] = "customer.link_reference.v1"
    system: Code
    reference: Name


class AddContact(Command):
    """Add a contact person of the customer."""

    type: ClassVar[str] = "customer.add_contact.v1"
    contact_id: Id
    name: Name
    role: Name | None = None
    phone: Phone | None = None
    email: Email | None = None


class ProfileEvent(Event):
    """An event with values of a customer's profile."""

    profile: Profile
    phone_e164: str | None = Field(default=None, description=PHONE_E164)


class ProspectRegistered(ProfileEvent):
    """The customer's record was created by a lead, or was a stub before; `profile` is what the lead states of the customer."""

    type: ClassVar[str] = "customer.prospect_registered.v1"
    lead_id: UUID

    def in_words(self) -> str:
        return f"registered as a prospect{because(self.profile.name)}"


class StubRegistered(Event):
    """The customer's record was created by the first document that refers to it (a `noun` and its id), without a profile."""

    type: ClassVar[str] = "customer.stub_registered.v1"
    noun: str
    first_id: UUID

    def in_words(self) -> str:
        return f"registered by its id alone, as a {words(self.noun)} refers to it"


class CustomerRegistered(ProfileEvent):
    """The customer's record was created, or that of a prospect or stub completed; `profile` is the whole profile."""

    type: ClassVar[str] = "customer.registered.v1"
    references: dict[str, str] = {}
    policy_version: int

    def in_words(self) -> str:
        return f"registered{because(self.profile.name)}"


class ProfileUpdated(ProfileEvent):
    """Profile fields have new values; only the named ones changed.

    If only the customer's country changed, `phone` is named again where its E.164 form changes.
    """

    type: ClassVar[str] = "customer.profile_updated.v1"

    def in_words(self) -> str:
        fields = ", ".join(words(name) for name, value in self.profile if value is not None)
        return f"profile updated: {fields or 'nothing'}"


class ReferenceLinked(Event):
    """The customer's name in another system was recorded."""

    type: ClassVar[str] = "customer.reference_linked.v1"
    system: str
    reference: str

    def in_words(self) -> str:
        return f"called {self.reference} in {self.system}"


class ContactAdded(Event):
    """A contact person of the customer was added."""

    type: ClassVar[str] = "customer.contact_added.v1"
    contact_id: UUID
    name: str
    role: str | None = None
    phone: str | None = None
    email: str | None = None
    phone_e164: str | None = Field(default=None, description=PHONE_E164)

    def in_words(self) -> str:
        return f"contact added: {self.name}{f', {self.role}' if self.role else ''}"
