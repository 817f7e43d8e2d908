"""Events to bytes and back, by their stable names. Bytes are decoded exactly once, names never lead to a module path."""

from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError

from ltc_events.schemas.base import EVENTS, Event
from ltc_events.store.errors import UnknownEvent, UnreadableEvent

Decoder = Callable[[bytes], Event]

_decoders: dict[str, Decoder] = {}


def encode(event: Event) -> bytes:
    """The exact JSON bytes under which an event is stored."""
    return event.__pydantic_serializer__.to_json(event)


def decoder(name: str) -> Decoder | None:
    """What turns the bytes of the event type `name` into the event; None when no such type is known."""
    known = _decoders.get(name)
    if known is None and name in EVENTS:
        known = _decoders[name] = cast(Decoder, EVENTS[name].__pydantic_validator__.validate_json)
    return known


def decode(name: str, data: bytes, position: int) -> Event:
    """The stored event at `position`; raises UnknownEvent, UnreadableEvent."""
    known = decoder(name)
    if known is None:
        raise UnknownEvent(position=position, type=name)
    try:
        return known(data)
    except ValidationError as error:
        raise unreadable(name, position, error) from error


def unreadable(name: str, position: int, error: ValidationError) -> UnreadableEvent:
    """Which stored event does not fit its class, and where."""
    first: Any = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    return UnreadableEvent(position=position, type=name, reason=f"{place}: {first['msg']}")
