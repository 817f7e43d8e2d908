"""Text fields checked by libraries, such as e-mail addresses. Each library is imported on first use.

Results are cached, since the same few addresses recur.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ltc_events.schemas.limits import RECORDED

_REMEMBERED: Final = 8192
EMAIL_FORMAT: Final = "idn-email"
# Nearly all addresses have this form, and all that do are valid as they are unless their top-level domain is reserved.
# A law holds the form against the library, which takes thirty times as long.
_PLAIN_EMAIL = re.compile(
    r"(?=.{1,254}$)(?=[^@]{1,64}@)[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?:[a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){0,2}\.)+([a-z]{2,20})"
).fullmatch


@dataclass(frozen=True, slots=True)
class Checked:
    """A check of a field shared by commands and events; applied to commands alone, as `Limits` are.

    `check` returns the normalised text or raises PydanticCustomError. `format` names it in the JSON Schema.
    """

    check: Callable[[str], str]
    format: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = handler.resolve_ref_schema(handler(schema))
        return described if self.format is None else {**described, "format": self.format}

    def _check(self, value: str, info: core_schema.ValidationInfo) -> str:
        return value if info.context is RECORDED else self.check(value)


@lru_cache(maxsize=_REMEMBERED)
def email_address(text: str) -> str:
    """The address with its domain in lower case and both parts in Unicode normal form (R-30, RFC 5322, RFC 6531).

    No DNS query is made. Reserved domains (`.local`, `.test`) and those without a dot are refused.
    """
    from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

    plain = _PLAIN_EMAIL(text)
    if plain and plain[1] not in SPECIAL_USE_DOMAIN_NAMES:
        return text
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise PydanticCustomError("email", "this is not an e-mail address", {"reason": str(error)}) from error
