"""Normalises names for search: without case, accents, punctuation and variants of the same letter."""

from unicodedata import combining, normalize

SEARCHED_MAX = 100
"""So many characters tell names apart, and any index holds them."""


def search_form(name: str) -> str:
    """`Müller & Söhne GmbH` as `muller sohne gmbh`."""
    letters = "".join(one for one in normalize("NFKD", name.casefold()) if not combining(one))
    words = "".join(one if one.isalnum() else " " for one in letters).split()
    return " ".join(words)[:SEARCHED_MAX].rstrip()
