"""The telephone number of a command, in the customer's country (R-30)."""

from ltc_events.kernel.errors import Refused
from ltc_events.kernel.phone_numbers import read_phone_number


class NoTelephoneNumber(Refused):
    """{phone} is no telephone number of {place}"""

    field = "phone"
    remedy = "write it with + and its country code, for example +49 30 1234567"


def e164_of(phone: str | None, country: str | None, at: str) -> str | None:
    """A given number in E.164, or None where that cannot be said and the text has to do. Raises NoTelephoneNumber."""
    if phone is None:
        return None
    number = read_phone_number(phone, country)
    if not number.is_possible:
        is_national = country is not None and not phone.startswith("+")
        raise NoTelephoneNumber(phone=phone, place=country if is_national else "any country", at=at)
    return number.e164
