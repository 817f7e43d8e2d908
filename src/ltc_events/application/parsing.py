"""Parses incoming documents, each by itself: a command, or a dead letter with its reason."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from ltc_events.schemas.envelope import Message, parse
from ltc_events.schemas.undecodable import Undecodable
from ltc_events.store.commit import DeadLetter


class Received(NamedTuple):
    """A document that came over a feed. When it is no command, it is kept as `raw`, with its origin (JSON) beside it.

    `data` is the JSON of its data, where that came by itself.
    """

    document: Mapping[str, Any] | Undecodable
    raw: bytes
    origin: Callable[[], bytes]
    data: bytes | None = None


Document = bytes | str | Mapping[str, Any] | Received


class Prepared(NamedTuple):
    """A document, and the command that it is; or why it is none."""

    document: Document
    parsed: Message | Undecodable


def prepare(document: Document, now: datetime) -> Prepared:
    """Check one document, which came in at `now` (UTC)."""
    given, data = (document.document, document.data) if isinstance(document, Received) else (document, None)
    if isinstance(given, Undecodable):
        return Prepared(document, given)
    try:
        return Prepared(document, parse(given, now, data))
    except Undecodable as error:
        return Prepared(document, error)


def dead_letter(source: str, document: Document, error: Undecodable) -> DeadLetter:
    """What came in, as bytes, and why it is no command (in which PostgreSQL could not store the character U+0000)."""
    reason = error.message.replace("\0", "\\0")
    if isinstance(document, Received):
        return DeadLetter(source, document.raw, reason, document.origin())
    if isinstance(document, bytes):
        return DeadLetter(source, document, reason)
    raw = document.encode(errors="surrogatepass") if isinstance(document, str) else orjson.dumps(document, default=str)
    return DeadLetter(source, raw, reason)
