"""Customer: what each command leads to (R-24 … R-26, R-29, R-30, R-73)."""

from tests.unit.specification import SUBJECT, given

from ltc_events.aggregates.base import AlreadyExists, DoesNotExist
from ltc_events.aggregates.completeness import MissingFields
from ltc_events.aggregates.customer import CONTACTS_MAX, ContactAlreadyAdded, EmptyUpdate, TooManyContacts
from ltc_events.kernel.ids import derive_id
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
from ltc_events.schemas.policy import PolicyPublished, RequiredFields

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
    given().when(RegisterCustomer(profile=profile)).then(CustomerRegistered(profile=profile, policy_version=0))


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
