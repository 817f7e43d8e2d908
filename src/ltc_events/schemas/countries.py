"""Countries by their codes of ISO 3166-1, as the CLDR has them (Babel); imported when the first country comes."""

from collections.abc import Set
from functools import lru_cache
from typing import Final

from pydantic_core import PydanticCustomError

_REMEMBERED: Final = 1024
_CODE_LETTERS: Final = 2
_UNKNOWN: Final = "ZZ"


@lru_cache(maxsize=_REMEMBERED)
def country_code(text: str) -> str:
    """The code in capital letters: `DE`. Raises PydanticCustomError for anything else, which names the code that is meant.

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
    """The territories of which the CLDR knows what people speak there: no groups of countries, and none that is gone."""
    from babel.core import get_global

    known = get_global("territory_languages")
    return frozenset(code for code in known if len(code) == _CODE_LETTERS and code.isalpha() and code != _UNKNOWN)


def _meant(text: str) -> str | None:
    """The code of a country that is called by its English name, its three letters or another code of its own."""
    from babel import Locale
    from babel.core import get_global

    replaced = get_global("territory_aliases").get(text.upper(), ())
    if len(replaced) == 1:
        return str(replaced[0])
    names = Locale("en").territories
    return next((code for code in sorted(_codes()) if str(names.get(code)).casefold() == text.casefold()), None)
