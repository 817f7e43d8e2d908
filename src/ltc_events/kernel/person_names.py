"""Compares names of people: two names that look alike count as one person. Pure."""

import unicodedata

# Letters of other scripts, in lower case, that look like a Latin letter in either case (Unicode TR 39, as far as names go).
_CYRILLIC = ("авекмнорстухьѕіјһԁԛԝѵүӏ", "abekmhopctyxbsijhdqwvyl")
_GREEK = ("αβεζηικμνορτυχω", "abezhikmvoptyxw")
_LATIN = ("ıɑɡʏ", "iagy")  # noqa: RUF001
_LOOK_ALIKES = {code: look for letters in (_CYRILLIC, _GREEK, _LATIN) for code, look in str.maketrans(*letters).items()}


def same_person(one: str, other: str) -> bool:
    """Whether a reader cannot tell two names apart: case, accents, spaces, invisible characters and look-alike letters of other
    scripts are ignored. A name of which nothing remains matches every name."""
    left, right = person_key(one), person_key(other)
    return left == right or not left or not right


def person_key(name: str) -> str:
    """What is the same for all names that a reader cannot tell apart; empty where nothing of the name remains."""
    # Letters, digits and signs stay; marks, spaces and what has no shape at all go.
    shown = "".join(one for one in unicodedata.normalize("NFKD", name) if unicodedata.category(one)[0] in "LNPS")
    return shown.casefold().translate(_LOOK_ALIKES)
