"""VAT ids, LEI, IBAN, BIC and registration numbers: kept in one form, refused with the reason where they are wrong."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from tests.unit.specification import given

from ltc_events.aggregates.registration import NoCreditCode
from ltc_events.schemas.customer import CustomerRegistered, Profile, ProfileUpdated, RegisterCustomer, UpdateProfile
from ltc_events.schemas.envelope import parse
from ltc_events.store.decoding import decode

ID = "0190a000-0000-7000-8000-000000000001"
USCC = "91110000600037341L"


def parsed(field: str, value: str) -> Any:
    data = {"profile": {"name": "Acme", field: value}}
    message = {"specversion": "1.0", "id": ID, "source": "test", "type": "ltc.customer.update_profile.v1"}
    return parse({**message, "subject": ID, "partitionkey": ID, "data": data}, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("field", "said", "kept"),
    [
        ("vat_id", "de 136 695 976", "DE136695976"),
        ("vat_id", "EL 094259216", "EL094259216"),  # Greece, by the letters of its VAT ids
        ("vat_id", "XI 980780684", "XI980780684"),  # Northern Ireland
        ("vat_id", "GB 980 7806 84", "GB980780684"),
        ("vat_id", "CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("vat_id", "NO 995 525 828 MVA", "NO995525828MVA"),
        ("vat_id", "BR 16.727.230/0001-97", "BR16727230000197"),
        ("vat_id", "US 12-345", "US12345"),  # has no rule
        ("lei", "2138 00KU D8LA JWSQ 9D15", "213800KUD8LAJWSQ9D15"),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("bic", "deutdeff", "DEUTDEFF"),
    ],
)
def test_a_number_is_kept_without_spaces_and_in_capital_letters(field: str, said: str, kept: str) -> None:
    assert getattr(parsed(field, said).command.profile, field) == kept


@pytest.mark.parametrize(
    ("field", "said", "name", "why"),
    [
        ("vat_id", "DE136695978", "VAT id", "check digit is invalid"),
        ("vat_id", "GB980780685", "VAT id", "check digit is invalid"),
        ("vat_id", "DE1", "VAT id", "invalid length"),
        ("vat_id", "136695976", "VAT id", "two letters of a country"),
        ("lei", "213800KUD8LAJWSQ9D16", "LEI", "check digit is invalid"),
        ("iban", "DE89370400440532013001", "IBAN", "check digit is invalid"),
        ("bic", "DEUT", "BIC", "invalid length"),
    ],
)
def test_a_wrong_number_is_refused_with_the_reason(field: str, said: str, name: str, why: str) -> None:
    (reason,) = parsed(field, said).reasons
    assert (reason.code, reason.field, reason.message) == ("malformed", f"profile.{field}", f"this is no {name}")
    assert why in reason.fix


def test_stored_numbers_are_read_whatever_they_are() -> None:
    stored = {"profile": {"vat_id": "DE1", "lei": "1", "iban": "DE0", "bic": "x"}, "policy_version": 0}
    (event,) = decode("customer.registered.v1", orjson.dumps(stored), 1)
    assert orjson.loads(event.model_dump_json(exclude_defaults=True)) == stored


def profile(number: str | None, country: str | None) -> Profile:
    return Profile(name="Mill", email="a@mill.example", country=country, registration_number=number)


class TestTheRegisterOfChina:
    def test_a_company_of_china_has_a_credit_code(self) -> None:
        spaced = "9111 0000 6000 37341l"
        registered = CustomerRegistered(profile=profile(USCC, "CN"), policy_version=0)
        given().when(RegisterCustomer(profile=profile(spaced, "CN"))).then(registered)
        unknown = CustomerRegistered(profile=profile(None, "CN"), policy_version=0)
        update = UpdateProfile(profile=Profile(registration_number=spaced))
        given(unknown).when(update).then(ProfileUpdated(profile=Profile(registration_number=USCC)))
        given(registered).when(update).then()

    @pytest.mark.parametrize("number", ["91110000600037341K", "110000006000373", "Beijing 77"])
    def test_what_is_none_is_refused(self, number: str) -> None:
        refused = {"field": "profile.registration_number", "message": number, "fix": "18 characters"}
        given().when(RegisterCustomer(profile=profile(number, "CN"))).then(NoCreditCode, **refused)
        known = CustomerRegistered(profile=profile(None, "CN"), policy_version=0)
        given(known).when(UpdateProfile(profile=Profile(registration_number=number))).then(NoCreditCode, **refused)

    @pytest.mark.parametrize("country", ["DE", None])
    def test_numbers_of_other_registers_stay_as_they_came(self, country: str | None) -> None:
        said = profile("HRB 12 345 B", country)
        given().when(RegisterCustomer(profile=said)).then(CustomerRegistered(profile=said, policy_version=0))

    def test_a_number_that_was_said_before_the_country_is_not_refused(self) -> None:
        known = CustomerRegistered(profile=profile("110000006000373", None), policy_version=0)
        update = UpdateProfile(profile=Profile(country="CN"))
        given(known).when(update).then(ProfileUpdated(profile=Profile(country="CN")))
