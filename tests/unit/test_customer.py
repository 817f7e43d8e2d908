"""Customer: what each command leads to (R-24 … R-26, R-29, R-30, R-73)."""

from datetime import timedelta

import pytest
from tests.unit.specification import CUSTOMER, SUBJECT, TODAY, at, given, given_nobody, on

from ltc_events.aggregates.base import AlreadyExists, DatedTooEarly, DoesNotExist
from ltc_events.aggregates.customer import CONTACTS_MAX, ContactAlreadyAdded, EmptyUpdate, TooManyContacts
from ltc_events.aggregates.required_fields import MissingFields
from ltc_events.application.errors import OwnCustomer
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.customer import (
    AddContact,
    ContactAdded,
    CustomerRegistered,
    LinkReference,
    Profile,
    ProfileUpdated,
    ProspectRegistered,
    ReferenceLinked,
    RegisterCustomer,
    StubRegistered,
    UpdateProfile,
)
from ltc_events.schemas.lead import CaptureLead, Channel, LeadCaptured
from ltc_events.schemas.policy import PolicyPublished, RequiredFields, RequireRegisteredCustomer

PROFILE = Profile(name="Analytical Ltd", email="office@analytical.example", country="GB")
REGISTERED = CustomerRegistered(profile=PROFILE, references={"crm": "4711"}, policy_version=0)
CONTACT = derive_id("test", "contact")


def test_registering_keeps_profile_references_and_the_version_of_the_policy() -> None:
    given().when(RegisterCustomer(profile=PROFILE, references={"crm": "4711"})).then(REGISTERED)


def test_a_customer_is_registered_once() -> None:
    given(REGISTERED).when(RegisterCustomer(profile=PROFILE)).then(AlreadyExists, field="subject", message="customer")


def test_registering_without_a_way_to_reach_the_customer_is_refused() -> None:
    given().when(RegisterCustomer(profile=Profile(name="Analytical Ltd"))).then(
        MissingFields, field="profile.phone", message="phone or email", fix="fill in"
    )


def test_one_of_two_alternatives_is_enough() -> None:
    profile = Profile(name="Analytical Ltd", phone="+44 20 7946 0000")
    registered = CustomerRegistered(profile=profile, policy_version=0, phone_e164="+442079460000")
    given().when(RegisterCustomer(profile=profile)).then(registered)


def test_the_refusal_names_all_that_is_missing() -> None:
    given().when(RegisterCustomer(profile=Profile(name="  "))).then(
        MissingFields, field="profile.name", message="name, phone or email"
    )


def test_required_fields_follow_the_policy_in_force() -> None:
    stricter = PolicyPublished(version=3, content=RequiredFields(kind="required_fields", customer=("name", "industry")))
    given(stricter).when(RegisterCustomer(profile=PROFILE)).then(MissingFields, field="profile.industry", message="version 3")
    profile = Profile(name="Analytical Ltd", industry="machinery")
    given(stricter).when(RegisterCustomer(profile=profile)).then(CustomerRegistered(profile=profile, policy_version=3))


def test_an_update_records_only_what_changes() -> None:
    update = Profile(name="Analytical plc", country="GB")
    given(REGISTERED).when(UpdateProfile(profile=update)).then(ProfileUpdated(profile=Profile(name="Analytical plc")))


def test_an_update_that_says_what_is_known_records_nothing() -> None:
    update = UpdateProfile(profile=Profile(name="Analytical plc"))
    given(REGISTERED, ProfileUpdated(profile=Profile(name="Analytical plc"))).when(update).then()


def test_an_update_of_nothing_is_refused() -> None:
    given(REGISTERED).when(UpdateProfile(profile=Profile())).then(EmptyUpdate, field="profile", fix="industry")


def test_another_systems_name_is_linked_once_and_can_be_corrected() -> None:
    link = LinkReference(system="erp", reference="K-1")
    linked = ReferenceLinked(system="erp", reference="K-1")
    given(REGISTERED).when(link).then(linked)
    given(REGISTERED, linked).when(link).then()
    given(REGISTERED, linked).when(LinkReference(system="erp", reference="K-2")).then(
        ReferenceLinked(system="erp", reference="K-2")
    )
    given(REGISTERED).when(LinkReference(system="crm", reference="4711")).then()


def test_a_contact_is_added_once() -> None:
    add = AddContact(contact_id=CONTACT, name="Ada King", role="owner", email="ada@analytical.example")
    added = ContactAdded(contact_id=CONTACT, name="Ada King", role="owner", email="ada@analytical.example")
    given(REGISTERED).when(add).then(added)
    given(REGISTERED, added).when(add).then(ContactAlreadyAdded, field="contact_id", message=str(CONTACT))


def test_contacts_are_limited() -> None:
    many = [ContactAdded(contact_id=derive_id("contact", str(number)), name="N") for number in range(CONTACTS_MAX)]
    given(REGISTERED, *many).when(AddContact(contact_id=CONTACT, name="Ada")).then(TooManyContacts)


def test_commands_to_an_unknown_customer_say_what_comes_first() -> None:
    for command in (
        UpdateProfile(profile=PROFILE),
        LinkReference(system="erp", reference="K-1"),
        AddContact(contact_id=CONTACT, name="Ada"),
    ):
        given().when(command, subject=SUBJECT).then(DoesNotExist, field="subject", fix="customer.register.v1")


LEAD = CaptureLead(
    contact_name="Ada King",
    company="Analytical",
    phone="+44 20 7946 0000",
    email="ada@analytical.example",
    industry="machinery",
    region="south",
    need="a mill",
    channel=Channel.EXHIBITION,
)
SAID = Profile(name="Analytical", industry="machinery", region="south", phone="+44 20 7946 0000", email="ada@analytical.example")
PROSPECT = ProspectRegistered(profile=SAID, lead_id=SUBJECT, phone_e164="+442079460000")
STUB = StubRegistered(noun="order", first_id=derive_id("test", "order"))


class TestProspects:
    def test_the_first_lead_of_a_customer_registers_a_prospect(self) -> None:
        first, second = given_nobody().when(LEAD).events
        assert first == PROSPECT
        assert isinstance(second, LeadCaptured)

    def test_whoever_names_no_company_is_called_as_the_contact_is(self) -> None:
        nothing_needed = PolicyPublished(version=1, content=RequiredFields(kind="required_fields", lead=(), customer=()))
        lead = CaptureLead(contact_name="Ada King", channel=Channel.EXHIBITION)
        first, _ = given_nobody(nothing_needed).when(lead).events
        assert first.profile == Profile(name="Ada King")
        first, _ = given_nobody(nothing_needed).when(CaptureLead(channel=Channel.EXHIBITION)).events
        assert first.profile == Profile()

    @pytest.mark.parametrize("known", [REGISTERED, PROSPECT])
    def test_a_later_lead_changes_nothing_about_its_customer(self, known: CustomerRegistered | ProspectRegistered) -> None:
        (only,) = given_nobody(at(CUSTOMER, known)).when(LEAD).events
        assert isinstance(only, LeadCaptured)

    def test_a_lead_says_who_a_stub_is(self) -> None:
        first, _ = given_nobody(at(CUSTOMER, STUB)).when(LEAD).events
        assert first == PROSPECT

    def test_where_nobody_asks_nobody_is_registered(self) -> None:
        off = PolicyPublished(version=1, content=RequireRegisteredCustomer(kind="require_registered_customer", mode="off"))
        (only,) = given_nobody(off).when(LEAD).events
        assert isinstance(only, LeadCaptured)

    def test_a_lead_is_not_its_own_customer(self) -> None:
        given_nobody().when(LEAD, subject=CUSTOMER).then(OwnCustomer, field="partitionkey", message="lead itself")

    def test_a_registration_completes_a_prospect_and_keeps_what_only_the_lead_said(self) -> None:
        completed = PROFILE.model_copy(update={"industry": "machinery", "region": "south", "phone": "+44 20 7946 0000"})
        story = given_nobody(PROSPECT).when(RegisterCustomer(profile=PROFILE, references={"crm": "4711"}))
        references = {"crm": "4711"}
        number = "+442079460000"
        story.then(CustomerRegistered(profile=completed, references=references, policy_version=0, phone_e164=number))
        story.when(RegisterCustomer(profile=PROFILE)).then(AlreadyExists, message="customer")

    def test_what_the_lead_said_counts_among_the_required_fields(self) -> None:
        name_alone = RegisterCustomer(profile=Profile(name="Analytical Ltd"))
        (registered,) = given_nobody(PROSPECT).when(name_alone).events
        assert registered.profile == SAID.model_copy(update={"name": "Analytical Ltd"})
        given_nobody(STUB).when(name_alone).then(MissingFields, field="profile.phone", message="phone or email")

    def test_a_registration_completes_a_stub(self) -> None:
        given_nobody(STUB).when(RegisterCustomer(profile=PROFILE)).then(CustomerRegistered(profile=PROFILE, policy_version=0))

    @pytest.mark.parametrize("begun", [PROSPECT, STUB])
    def test_what_is_done_to_any_customer_can_be_done_to_one_that_is_not_complete(
        self, begun: ProspectRegistered | StubRegistered
    ) -> None:
        update = Profile(country="GB")
        story = given_nobody(begun).when(UpdateProfile(profile=update)).then(ProfileUpdated(profile=update))
        story.when(LinkReference(system="erp", reference="K-1")).when(AddContact(contact_id=CONTACT, name="Ada King"))
        (registered,) = story.when(RegisterCustomer(profile=Profile(name="A", email="a@a.example"))).events
        assert registered.profile.country == "GB"
        story.when(LinkReference(system="erp", reference="K-1")).then()
        story.when(AddContact(contact_id=CONTACT, name="Ada King")).then(ContactAlreadyAdded)

    def test_a_registration_may_be_dated_before_the_lead_that_came_first(self) -> None:
        before = TODAY - timedelta(days=9)
        story = given_nobody(on(TODAY, PROSPECT)).when(UpdateProfile(profile=PROFILE), on=before)
        story.then(DatedTooEarly, message="registration")
        story = given_nobody(on(TODAY, PROSPECT)).when(RegisterCustomer(profile=PROFILE), on=before)
        assert story.when(UpdateProfile(profile=Profile(country="DE")), on=before).events
