"""Laws of numbers with check digits: what is kept stays as it is however it was spaced, and a mistyped digit is found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError
from stdnum import iban as iban_rule
from stdnum.cn import uscc as uscc_rule
from stdnum.iso7064 import mod_97_10

from ltc_events.aggregates.registration import NoCreditCode, registration_number_in
from ltc_events.schemas.identifiers import iban, lei, vat_id

ACCOUNTS = st.integers(0, 10**18 - 1).map(lambda number: f"{number:018}")
ISSUERS = st.text("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=18, max_size=18)
BODIES = st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=9, max_size=9)
VAT_IDS = st.sampled_from(["DE136695976", "ATU13585627", "NL4495445B01", "FR40303265045", "EL094259216", "GB980780684"])


def german(account: str) -> str:
    return f"DE{iban_rule.calc_check_digits(f'DE00{account}')}{account}"


def spaced(number: str, every: int) -> str:
    return " ".join(number[at : at + every] for at in range(0, len(number), every)).lower()


@settings(deadline=None)  # the library is imported by the first example
@given(ACCOUNTS, st.integers(1, 9))
def test_an_iban_is_kept_without_spaces(account: str, every: int) -> None:
    number = german(account)
    assert iban(spaced(number, every)) == iban(number) == number


@settings(deadline=None)
@given(ACCOUNTS, st.integers(4, 21), st.integers(1, 9))
def test_one_wrong_digit_of_an_iban_is_found(account: str, place: int, more: int) -> None:
    number = german(account)
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    with pytest.raises(PydanticCustomError, match="this is no IBAN"):
        iban(wrong)


@settings(deadline=None)
@given(ISSUERS)
def test_a_lei_is_kept_and_its_digits_are_checked(issuer: str) -> None:
    digits = mod_97_10.calc_check_digits(issuer)
    assert lei(spaced(issuer + digits, 4)) == issuer + digits
    with pytest.raises(PydanticCustomError, match="this is no LEI"):
        lei(f"{issuer}{(int(digits) + 1) % 100:02}")


@settings(deadline=None)
@given(VAT_IDS, st.integers(1, 9))
def test_a_vat_id_is_kept_with_its_country_and_without_spaces(number: str, every: int) -> None:
    kept = vat_id(number)
    assert vat_id(spaced(number, every)) == vat_id(kept) == kept
    assert kept.startswith(number[:2])


@settings(deadline=None)
@given(st.sampled_from(["1", "5", "9"]), st.integers(110_000, 659_999), BODIES)
def test_a_credit_code_is_a_registration_number_of_china(kind: str, division: int, body: str) -> None:
    code = f"{kind}1{division}{body}"
    code += uscc_rule.calc_check_digit(code)
    assert registration_number_in("CN", spaced(code, 4)) == registration_number_in("CN", code) == code
    with pytest.raises(NoCreditCode):
        registration_number_in("CN", code[:-1] + ("0" if code[-1] != "0" else "1"))
    assert registration_number_in("DE", spaced(code, 4)) == spaced(code, 4)
