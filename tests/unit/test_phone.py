"""Telephone numbers are kept as they came, with their form in E.164 beside where the customer's country says it (R-30)."""

import pytest
from tests.unit.specification import CUSTOMER, at, given, given_nobody

from ltc_events.aggregates.phone import NoTelephoneNumber
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.customer import (
    AddContact,
    ContactAdded,
    CustomerRegistered,
    Profile,
    ProfileUpdated,
    ProspectRegistered,
    RegisterCustomer,
    UpdateProfile,
)
from ltc_events.schemas.lead import CaptureLead, Channel

ID = derive_id("test", "contact")
BERLIN, E164 = "030 1234567", "+49301234567"


def registered(phone: str | None = None, country: str | None = None, e164: str | None = None) -> CustomerRegistered:
    profile = Profile(name="Mill", email="a@mill.example", phone=phone, country=country)
    return CustomerRegistered(profile=profile, policy_version=0, phone_e164=e164)


def lead(phone: str) -> CaptureLead:
    said = {"contact_name": "Ann", "company": "Mill", "industry": "mills", "need": "a stone"}
    return CaptureLead(**said, phone=phone, channel=Channel.REFERRAL)


@pytest.mark.parametrize(
    ("phone", "country", "e164"),
    [
        (BERLIN, "DE", E164),
        (BERLIN, None, None),  # nobody can say of which country
        ("+49 (0)30 1234567", None, E164),
        ("+49 30 1234567", "FR", E164),
        ("0049 30 1234567", "DE", E164),
        ("06 12345678", "IT", "+390612345678"),
        ("06 12345678", "NL", "+31612345678"),
        ("660-485-0224", "US", "+16604850224"),
        ("+49 123 456789012", None, None),  # possible, and of no range that is known to be in use
        ("1234567", "US", None),  # local, without its area
    ],
)
def test_a_number_is_kept_as_it_came_and_in_e164_where_that_can_be_said(
    phone: str, country: str | None, e164: str | None
) -> None:
    known = registered(phone, country, e164)
    given().when(RegisterCustomer(profile=known.profile)).then(known)
    add = AddContact(contact_id=ID, name="Ann", phone=phone)
    story = given(registered(country=country)).when(add)
    story.then(ContactAdded(contact_id=ID, name="Ann", phone=phone, phone_e164=e164))
    captured = given_nobody(at(CUSTOMER, registered(country=country))).when(lead(phone)).events[-1]
    assert (captured.phone, captured.phone_e164) == (phone, e164)


@pytest.mark.parametrize(
    ("phone", "country", "place"),
    [
        ("+1 2 34 5", None, "any country"),
        ("+999 1234567", None, "any country"),
        ("12 34 5678901234", "GB", "GB"),
        ("+1 23 4567", "US", "any country"),
    ],
)
def test_what_no_number_can_be_is_refused(phone: str, country: str | None, place: str) -> None:
    profile = registered(phone, country).profile
    wanted = {"message": f"{phone} is no telephone number of {place}", "fix": "+ and its country code"}
    given().when(RegisterCustomer(profile=profile)).then(NoTelephoneNumber, field="profile.phone", **wanted)
    known = registered(country=country)
    given(known).when(UpdateProfile(profile=Profile(phone=phone))).then(NoTelephoneNumber, field="profile.phone", **wanted)
    given(known).when(AddContact(contact_id=ID, name="Ann", phone=phone)).then(NoTelephoneNumber, field="phone", **wanted)
    given_nobody(at(CUSTOMER, known)).when(lead(phone)).then(NoTelephoneNumber, field="phone", **wanted)


class TestACountryThatBecomesKnown:
    def test_by_the_registration_of_a_prospect_says_which_number_it_is(self) -> None:
        prospect = ProspectRegistered(profile=Profile(name="Mill", phone=BERLIN), lead_id=ID)
        (event,) = given_nobody(prospect).when(RegisterCustomer(profile=Profile(country="DE"))).events
        assert (event.profile.phone, event.phone_e164) == (BERLIN, E164)

    def test_by_an_update_says_which_number_it_is(self) -> None:
        story = given(registered(BERLIN)).when(UpdateProfile(profile=Profile(country="DE")))
        story.then(ProfileUpdated(profile=Profile(country="DE", phone=BERLIN), phone_e164=E164))
        story.when(UpdateProfile(profile=Profile(country="DE", phone=BERLIN))).then()

    def test_another_country_makes_another_number_or_none(self) -> None:
        story = given(registered("06 12345678", "IT", "+390612345678")).when(UpdateProfile(profile=Profile(country="NL")))
        story.then(ProfileUpdated(profile=Profile(country="NL", phone="06 12345678"), phone_e164="+31612345678"))
        story.when(UpdateProfile(profile=Profile(country="US"))).then(
            ProfileUpdated(profile=Profile(country="US", phone="06 12345678"))
        )

    def test_refuses_no_number_that_was_said_before(self) -> None:
        prospect = ProspectRegistered(profile=Profile(name="Mill", phone="12 34 5678901234"), lead_id=ID)
        (event,) = given_nobody(prospect).when(RegisterCustomer(profile=Profile(country="GB"))).events
        assert (event.profile.phone, event.phone_e164) == ("12 34 5678901234", None)


def test_a_stored_text_gets_its_number_when_it_is_said_again() -> None:
    said = UpdateProfile(profile=Profile(phone=BERLIN))
    given(registered(BERLIN, "DE")).when(said).then(ProfileUpdated(profile=Profile(phone=BERLIN), phone_e164=E164))
    given(registered(BERLIN, "DE", E164)).when(said).then()
