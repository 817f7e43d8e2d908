"""Country codes of ISO 3166-1, from the CLDR (Babel), which is imported on first use."""

from collections.abc import Set
from functools import lru_cache
from typing import Final

from pydantic_core import PydanticCustomError

_REMEMBERED: Final = 1024
_CODE_LETTERS: Final = 2
_UNKNOWN: Final = "ZZ"


@lru_cache(maxsize=_REMEMBERED)
def country_code(text: str) -> str:
    """The code in capital letters: `DE`. Raises PydanticCustomError for anything else, with the code that was probably meant.

    Codes that ISO 3166 reserves for a territory of its own (`IC`, the Canary Islands) are taken, and `XK` for Kosovo.
    """
    code = text.upper()
    if code in _codes():
        return code
    meant = _meant(text)
    raise PydanticCustomError(
        "country",
        "{text} is no country code of ISO 3166",
        {"text": text, "meant": f"write {meant}" if meant else "use its two letters, for example DE"},
    )


@lru_cache(maxsize=1)
def _codes() -> Set[str]:
    """The codes of existing territories: those with languages in the CLDR, which groups and former countries lack."""
    from babel.core import get_global

    known = get_global("territory_languages")
    return frozenset(code for code in known if len(code) == _CODE_LETTERS and code.isalpha() and code != _UNKNOWN)


def _meant(text: str) -> str | None:
    """The code of a country given by its English name, its alpha-3 code or another code."""
    from babel import Locale
    from babel.core import get_global

    replaced = get_global("territory_aliases").get(text.upper(), ())
    if len(replaced) == 1:
        return str(replaced[0])
    names = Locale("en").territories
    return next((code for code in sorted(_codes()) if str(names.get(code)).casefold() == text.casefold()), None)
