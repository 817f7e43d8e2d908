"""The number under which a company of China is registered: its unified social credit code (GB 32100-2015)."""

from functools import lru_cache
from typing import Final

from ltc_events.kernel.errors import Refused

CHINA: Final = "CN"
_REMEMBERED: Final = 4096


class NoCreditCode(Refused):
    """{number} is no unified social credit code, under which companies of China are registered: {reason}"""

    field = "profile.registration_number"
    remedy = "give the 18 characters of the business licence, for example 91110000600037341L"


def registration_number_in(country: str | None, number: str) -> str:
    """A given registration number as it is kept: of China without spaces and in capital letters, else as it came.

    No other country's register is known to have one form. Raises NoCreditCode.
    """
    return _credit_code(number) if country == CHINA else number


@lru_cache(maxsize=_REMEMBERED)
def _credit_code(number: str) -> str:
    from stdnum.cn import uscc
    from stdnum.exceptions import ValidationError

    try:
        return uscc.validate(number)
    except ValidationError as error:
        raise NoCreditCode(number=number, reason=str(error).rstrip(".")) from error
