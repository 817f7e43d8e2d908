"""Names of people as they are compared: two that look alike are one person, however they are written. Pure."""

import unicodedata

# Letters of other scripts, in lower case, that look like a Latin letter in either case (Unicode TR 39, as far as names go).
_CYRILLIC = ("авекмнорстухьѕіјһԁԛԝѵүӏ", "abekmhopctyxbsijhdqwvyl")
_GREEK = ("αβεζηικμνορτυχω", "abezhikmvoptyxw")
_LATIN = ("ıɑɡʏ", "iagy")  # noqa: RUF001
_LOOK_ALIKES = {code: look for letters in (_CYRILLIC, _GREEK, _LATIN) for code, look in str.maketrans(*letters).items()}


def same_person(one: str, other: str) -> bool:
    """Whether who reads two names cannot tell them apart: case, accents, spaces, invisible characters and letters of another
    script that look the same make no difference. A name of which nothing is left then is like every other."""
    left, right = _skeleton(one), _skeleton(other)
    return left == right or not left or not right


def _skeleton(name: str) -> str:
    # Letters, digits and signs stay; marks, spaces and what has no shape at all go.
    shown = "".join(one for one in unicodedata.normalize("NFKD", name) if unicodedata.category(one)[0] in "LNPS")
    return shown.casefold().translate(_LOOK_ALIKES)
