"""Events to bytes and back, by their stable names. Bytes are decoded exactly once; names never lead to a module path."""

from collections.abc import Callable

from ltc_events.schemas.base import EVENTS, Event

Decoder = Callable[[bytes], Event]


class Decoders(dict[str, Decoder]):
    """What turns the bytes of an event type into the event, by the type's stable name; KeyError for a foreign name."""

    def __missing__(self, name: str) -> Decoder:
        decoder: Decoder = EVENTS[name].__pydantic_validator__.validate_json
        self[name] = decoder
        return decoder


DECODERS = Decoders()


def encode(event: Event) -> bytes:
    """The exact JSON bytes under which an event is stored."""
    return event.__pydantic_serializer__.to_json(event)
