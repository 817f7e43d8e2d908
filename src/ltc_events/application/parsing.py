"""Parses incoming documents one by one into commands, or into dead letters with a reason."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from ltc_events.kernel.frozen import new_tuple
from ltc_events.kernel.principals import Principal
from ltc_events.schemas.envelope import Message, parse
from ltc_events.schemas.undecodable import Undecodable
from ltc_events.store.commit import DeadLetter


class Received(NamedTuple):
    """A document received from a feed. If it is no command, `raw` is kept as a dead letter, with its origin (JSON).

    `data` is the JSON of its data where that was sent separately.
    """

    document: Mapping[str, Any] | Undecodable
    raw: bytes
    origin: Callable[[], bytes]
    data: bytes | None = None


Document = bytes | str | Mapping[str, Any] | Received


class Prepared(NamedTuple):
    """A received document with its parsed command, or with the reason why it is none."""

    document: Document
    parsed: Message | Undecodable


def prepare(document: Document, now: datetime, principal: Principal | None = None) -> Prepared:
    """Parse and validate one document, received at `now` (UTC) from `principal`."""
    given, data = (document.document, document.data) if isinstance(document, Received) else (document, None)
    if isinstance(given, Undecodable):
        return Prepared(document, given)
    try:
        return new_tuple(Prepared, (document, parse(given, now, data, principal)))
    except Undecodable as error:
        return Prepared(document, error)


def dead_letter(source: str, document: Document, error: Undecodable) -> DeadLetter:
    """A dead letter: the bytes received and the reason (without U+0000, which PostgreSQL cannot store)."""
    reason = error.message.replace("\0", "\\0")
    if isinstance(document, Received):
        return DeadLetter(source, document.raw, reason, document.origin())
    if isinstance(document, bytes):
        return DeadLetter(source, document, reason)
    raw = document.encode(errors="surrogatepass") if isinstance(document, str) else orjson.dumps(document, default=str)
    return DeadLetter(source, raw, reason)
