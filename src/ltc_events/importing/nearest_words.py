"""The nearest valid word for a value that is none of a closed list: a map of the mapping, or a command's field."""

import difflib
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin

from ltc_events.importing.documents import models_of
from ltc_events.schemas.base import COMMANDS


@lru_cache(maxsize=10_000)
def nearest_word(value: str, words: tuple[str, ...]) -> str:
    """The most similar of `words`, whatever their case and whatever stands between their parts; empty where none is similar."""
    known = {_plain(word): word for word in reversed(words)}
    close = difflib.get_close_matches(_plain(value), known, 1)
    return known[close[0]] if close else ""


def _plain(word: str) -> str:
    return word.casefold().replace("_", " ").replace("-", " ").strip()


@lru_cache(maxsize=1_000)
def words_of(type: str, path: str) -> tuple[str, ...]:
    """The words that a field of a command takes, by its path; none where it takes any text."""
    annotation: Any = COMMANDS.get(type)
    for part in path.split("."):
        if not part.isdecimal():
            fields = [model.model_fields[part] for model in models_of(annotation) if part in model.model_fields]
            if not fields:
                return ()
            annotation = fields[0].annotation
    return tuple(dict.fromkeys(_words(annotation)))


def _words(annotation: Any) -> Iterable[str]:
    if get_origin(annotation) is Literal:
        return [one for one in get_args(annotation) if isinstance(one, str)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(one.value) for one in annotation]
    return [word for argument in get_args(annotation) for word in _words(argument)]
