"""Messages with the outcome of a command, or with a dead letter; truncated to the topic's limit.

The database keeps them whole: outcomes with all reasons, dead letters as received.
"""

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, Final

import orjson

from ltc_events.bus.headers import Headers
from ltc_events.bus.topics import ANSWER_BYTES_MAX, LETTER_BYTES_MAX
from ltc_events.schemas.undecodable import Undecodable

TEXT_BYTES_MAX: Final = 16 * 1024
"""Of one text about what is wrong, where it must be cut."""
HEADERS_BYTES_MAX: Final = 1024 * 1024
"""Of a dead letter's own headers, where it must be cut; and of its key."""
CLOSING_BYTES_MAX: Final = 1024
_CUT = " …".encode()


def dead_letter_message(
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
    place: tuple[str, int, int],
    error: Undecodable,
) -> tuple[bytes | None, bytes | None, Headers]:
    """A dead letter as received, with its origin (topic, partition, offset) and the reason in headers.

    A value larger than a message may be (it came compressed) is truncated, with its size in bytes in `ltc_size`.
    """
    topic, partition, offset = place
    added: list[tuple[str, bytes]] = [
        ("ltc_reason", _beginning(error.message)),
        ("ltc_field", _beginning(error.field)),
        ("ltc_fix", _beginning(error.fix)),
        ("ltc_commandid", b"" if error.command_id is None else str(error.command_id).encode()),
        ("ltc_topic", topic.encode()),
        ("ltc_partition", b"%d" % partition),
        ("ltc_offset", b"%d" % offset),
    ]
    # The client refuses a message that has neither key nor value, and a header without one.
    copied = [(name, b"" if content is None else content) for name, content in headers]
    size = len(key or b"") + len(value or b"") + _size(copied)
    if size > LETTER_BYTES_MAX:
        added.append(("ltc_size", b"%d" % size))
        copied = _first(copied, HEADERS_BYTES_MAX)
        key = key if key is None or len(key) <= HEADERS_BYTES_MAX else None
        value = (value or b"")[: LETTER_BYTES_MAX - len(key or b"") - _size(copied)]
    return key, b"" if key is None and value is None else value, [*copied, *added]


def fitting(told: Mapping[str, Any]) -> bytes:
    """The answer as JSON, with as many reasons as fit into a message, and a last one with the number of those left out."""
    whole = orjson.dumps(told)
    if len(whole) <= ANSWER_BYTES_MAX:
        return whole
    reasons = [{name: _beginning(text).decode() for name, text in one.items()} for one in told["reasons"]]
    room = ANSWER_BYTES_MAX - len(orjson.dumps({**told, "reasons": []})) - CLOSING_BYTES_MAX
    sizes = accumulate(len(orjson.dumps(one)) + 1 for one in reasons)
    kept = sum(1 for size in sizes if size <= room)
    closing = {
        "code": "answer_cut",
        "field": "",
        "message": f"the answer has {len(whole)} bytes, and {ANSWER_BYTES_MAX} fit into a message: "
        f"{len(reasons) - kept} of {len(reasons)} reasons are left out, and long ones end early",
        "fix": "mend what is said here and send it with a new id; where the command was recorded, `ltc submit` with the same "
        "document tells all reasons again",
    }
    return orjson.dumps({**told, "reasons": [*reasons[:kept], closing]})


def _beginning(text: str) -> bytes:
    """A text truncated to a readable length."""
    encoded = text.encode(errors="replace")
    return encoded if len(encoded) <= TEXT_BYTES_MAX else encoded[:TEXT_BYTES_MAX].decode(errors="ignore").encode() + _CUT


def _first(headers: Headers, room: int) -> list[tuple[str, bytes]]:
    """The first headers that fit."""
    sizes = accumulate(_size([one]) for one in headers)
    return list(headers)[: sum(1 for size in sizes if size <= room)]


def _size(headers: Headers) -> int:
    """An upper bound of the bytes of headers in a message, with five bytes per length."""
    return sum(len(name.encode(errors="replace")) + len(content) + 10 for name, content in headers)
