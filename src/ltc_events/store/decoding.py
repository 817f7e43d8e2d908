"""Decodes stored bytes into events of today, through upcasters. Every reader of events goes through this module."""

from collections.abc import Callable, Sequence

import orjson
from pydantic import ValidationError

from ltc_events.schemas.base import Event
from ltc_events.schemas.json_validation import recorded_validator
from ltc_events.schemas.registry import EVENTS
from ltc_events.schemas.upcasting import UPCASTERS, CannotUpcast, newest_known, upcast_to_current
from ltc_events.store.errors import NewerEvent, UnknownEvent, UnreadableEvent, UpcastFailed

Decoder = Callable[[bytes], Event]


class Decoders(dict[str, Decoder]):
    """Maps the stable name of a current event type to its decoder; KeyError for any other: see `decode`."""

    def __missing__(self, name: str) -> Decoder:
        decoder: Decoder = recorded_validator(EVENTS[name])
        self[name] = decoder
        return decoder


DECODERS = Decoders()


def decode(type: str, data: bytes, position: int) -> Sequence[Event]:
    """The event stored under this type, or the several that upcasters make of it; raises UnreadableEvent.

    Hot paths look into DECODERS first, so that events of current types do not pay for upcasting.
    """
    try:
        if type in EVENTS:
            return (DECODERS[type](data),)
        if type not in UPCASTERS:
            raise _unknown(type, position)
        # As JSON again, so that an upcast event passes through the same gate as one of today.
        return [DECODERS[name](orjson.dumps(content)) for name, content in upcast_to_current(type, orjson.loads(data))]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        reason = f"{place}: {first['msg']}"
        if type in EVENTS:
            raise UnreadableEvent(position=position, type=type, reason=reason) from error
        raise UpcastFailed(position=position, type=type, reason=f"as {error.title}, {reason}") from error
    except KeyError as error:
        raise UpcastFailed(position=position, type=type, reason=f"{error} is no event") from None
    except (CannotUpcast, TypeError, ValueError) as error:
        raise UpcastFailed(position=position, type=type, reason=error) from error


def _unknown(type: str, position: int) -> UnknownEvent:
    known = newest_known(type)
    return UnknownEvent(position=position, type=type) if known is None else NewerEvent(position=position, type=type, known=known)
