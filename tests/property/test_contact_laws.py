"""Laws of e-mail addresses and telephone numbers: what a library of the field makes of them is kept, and stays as it is."""

import re

from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from ltc_events.kernel.phone_numbers import read_phone_number
from ltc_events.schemas.checked import email_address

_PARTS = st.text("abz09._+-AZé'\"() ", max_size=70)
_LABELS = st.text("abz09-Aé", max_size=25) | st.from_regex(r"[a-z0-9]{1,21}(-[a-z0-9]{1,21}){0,3}", fullmatch=True)
_TOP = st.sampled_from(["com", "example", "test", "LOCAL", "c", "co", "x1", "onion", "xn--p1ai", "arpa", "Invalid"])
ADDRESSES = st.builds(lambda name, labels, top: f"{name}@{'.'.join([*labels, top])}", _PARTS, st.lists(_LABELS, max_size=4), _TOP)


def said_by_the_library(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def said_by_us(text: str) -> str | None:
    try:
        return email_address(text)
    except PydanticCustomError:
        return None


@settings(deadline=None)  # the libraries are imported by the first example
@given(ADDRESSES | st.emails())
@example("a@xn--exmple-cua.com")
@example("a@Example.COM")
@example("A.b+c@ab--cd.example")
@example("A.b+c@ab-cd-1.example")
@example(f"a@{'b' * 20}-{'c' * 20}-{'d' * 20}.example")
@example(f"{'a' * 64}@{'b' * 20}.example")
@example(f"{'a' * 65}@{'b' * 20}.example")
@example(f"a@{'.'.join(['b' * 20] * 12)}.example")
def test_an_address_is_taken_exactly_as_the_library_says(text: str) -> None:
    assert said_by_us(text) == said_by_the_library(text)


@settings(deadline=None)  # the libraries are imported by the first example
@given(ADDRESSES | st.emails())
def test_an_address_that_is_kept_is_taken_again_as_it_is(text: str) -> None:
    kept = said_by_us(text)
    if kept is not None:
        assert said_by_us(kept) == kept


# Not all that is drawn is a number; what is, comes from plans of different kinds: trunk prefixes, none, leading zeros that stay.
COUNTRIES = st.sampled_from([None, "DE", "GB", "US", "IT", "FR", "CN", "BR", "JP", "AT", "NL", "Germany", "ZZ"])
DIGITS = st.text("0123456789", min_size=3, max_size=14)
NUMBERS = st.builds(lambda plus, digits: plus + digits, st.sampled_from(["", "+", "+49", "+44", "+1", "+39", "0", "00"]), DIGITS)


@settings(deadline=None)  # the libraries are imported by the first example
@given(NUMBERS, COUNTRIES)
@example("+49 30 1234567", None)
@example("06 12345678", "IT")
@example("+4920100000000000", None)
def test_the_e164_of_a_number_is_its_own_and_the_same_in_every_country(text: str, country: str | None) -> None:
    e164 = read_phone_number(text, country).e164
    if e164 is not None:
        assert re.fullmatch(r"\+[1-9][0-9]{3,14}", e164)
        for other in (None, country, "US"):
            assert read_phone_number(e164, other).e164 == e164


@settings(deadline=None)  # the libraries are imported by the first example
@given(NUMBERS, COUNTRIES)
def test_a_number_in_use_is_possible(text: str, country: str | None) -> None:
    number = read_phone_number(text, country)
    assert number.is_possible or number.e164 is None


@settings(deadline=None)  # the libraries are imported by the first example
@given(st.integers(200_000, 9_999_999), st.sampled_from(["+49 40 {}", "040 {}", "(040) {}", "+49 (0)40/{}", "0049 40-{}"]))
def test_one_number_has_one_e164_however_it_is_written(number: int, form: str) -> None:
    assert read_phone_number(form.format(number), "DE").e164 == f"+4940{number}"
