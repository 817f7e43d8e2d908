"""Removes passwords from everything that is shown, logged or raised."""

import re
from typing import Any

MASK = "***"
# What is shorter would take apart the words around it, and keeps nobody out.
_LENGTH_MIN = 4
_IN_URL = re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@?#]*:)[^\s@]+(?:@[^\s@/]+)*@", re.IGNORECASE)
_IN_WORDS = re.compile(
    r"((?:password|passwd|secret|scram_client_key|scram_server_key)\s*(?:=|%3D)\s*)('(?:[^'\\]|\\.)*'?|[^\s&]+)", re.IGNORECASE
)
_known: set[str] = set()


def conceal(secret: str | None) -> None:
    """Register a secret to be removed from the output of this process."""
    if secret and len(secret) >= _LENGTH_MIN:
        _known.add(secret)


def without_secrets(text: str) -> str:
    """The text without registered secrets, and without the password part of URLs and settings."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _IN_WORDS.sub(rf"\1{MASK}", _IN_URL.sub(rf"\1{MASK}@", text))


def all_without_secrets(value: Any) -> Any:
    """The document with `without_secrets` applied to every text in it."""
    match value:
        case str():
            return without_secrets(value)
        case dict():
            return {name: all_without_secrets(one) for name, one in value.items()}
        case list() | tuple():
            return [all_without_secrets(one) for one in value]
        case _:
            return value
