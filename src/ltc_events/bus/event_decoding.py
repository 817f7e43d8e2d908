"""Decodes events from Kafka: type and position first, the rest only for events that are needed."""

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from ltc_events.bus.cloudevents import EPOCH_BEGAN
from ltc_events.bus.consumer import Polled
from ltc_events.bus.headers import packed_name
from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.schemas.base import WIRE_PREFIX

KEYS_MAX = 50_000
_PREFIX = WIRE_PREFIX.encode()
_POSITION, _TYPE, _EPOCH = packed_name("ce_position"), packed_name("ce_type"), packed_name("ce_epoch")
_uuid = lru_cache(maxsize=KEYS_MAX)(UUID)


class NoEvent(LtcError):
    """this is not an event of the ledger: {reason}"""

    kind = Kind.DEFECT
    remedy = "find out who else writes to the topic; the relay alone should be allowed to"


def read_head(message: Polled) -> tuple[int, str]:
    """Position and stable name of the event, without reading all headers; (0, "") where `head_of` is needed."""
    # The relay writes these before any that holds somebody's words.
    position, kind = message.headers.first(_POSITION), message.headers.first(_TYPE)
    if position is None or kind is None or not position.isdigit() or not kind.startswith(_PREFIX):
        return 0, ""
    return int(position), _name(kind)


def epoch_of(message: Polled) -> bytes | None:
    """The epoch of an event; None: the message has none."""
    return message.headers.first(_EPOCH)


def is_word_of_an_epoch(message: Polled) -> bool:
    """Whether the message announces an epoch; it is then no event."""
    return message.headers.first(_TYPE) == EPOCH_BEGAN.encode()


def headers_of(message: Polled) -> dict[str, bytes]:
    """The attributes of a message, by the names of their headers."""
    return {name: content for name, content in message.headers if content is not None}


def head_of(headers: dict[str, bytes]) -> tuple[int, str]:
    """Position and stable name of the event in a message; raises NoEvent."""
    try:
        kind, position = headers["ce_type"], int(headers["ce_position"])
        if not kind.startswith(_PREFIX):
            raise NoEvent(reason=f"its type does not begin with {WIRE_PREFIX}")
        if position < 1:
            raise NoEvent(reason=f"its position is {position}")
        return position, kind[len(_PREFIX) :].decode()
    except KeyError as missing:
        raise NoEvent(reason=f"it has no header {missing}") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise NoEvent(reason=f"its type or position is unreadable: {error}") from None


def row_of(message: Polled, headers: dict[str, bytes], position: int, kind: str) -> tuple[Any, ...]:
    """The event as the row of the store that it was published from; raises NoEvent."""
    value = message.value
    if value is None:
        raise NoEvent(reason="it has no value")
    name = ""
    try:
        read: Callable[[str], str] = lambda header: headers[header].decode()  # noqa: E731
        customer = headers.get("ce_customerid")
        command = read(name := "ce_commandid")
        correlation = read(name := "ce_correlationid")
        causation = read(name := "ce_causationid")
        return (
            position,
            _uuid(read(name := "ce_subject")),
            int(headers[name := "ce_version"]),
            kind,
            value,
            None if customer is None else _uuid(customer.decode()),
            datetime.fromisoformat(read(name := "ce_time")),
            _date(read(name := "ce_effectiveon")),
            datetime.fromisoformat(read(name := "ce_recordedat")),
            UUID(command),
            None if correlation == command else UUID(correlation),
            None if causation == command else UUID(causation),
            read(name := "ce_actor"),
        )
    except KeyError:
        raise NoEvent(reason=f"it has no header {name}") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise NoEvent(reason=f"its header {name} is unreadable: {error}") from None


@lru_cache(maxsize=4096)
def _name(kind: bytes) -> str:
    return kind[len(_PREFIX) :].decode(errors="replace")


@lru_cache(maxsize=4096)
def _date(text: str) -> date:
    return date.fromisoformat(text)
