"""W3C Trace Context: what came with a command goes on with its events and its outcome, whoever reads it there."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

PARENT = "traceparent"
STATE = "tracestate"
STATE_CHARACTERS_MAX = 512
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
_STATE = re.compile(r"[\x20-\x7e]+").fullmatch


class Trace(NamedTuple):
    """A place in a trace: `00-<trace id>-<id of the span>-<flags>`, and what tracing systems added to it (or "")."""

    parent: str
    state: str = ""

    @property
    def trace_id(self) -> str:
        """The 32 hexadecimal digits that all spans of a trace share."""
        return self.parent[3:35]

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> Self | None:
        """What a command's CloudEvent says. What is malformed is left out, as the standard wants it: no command fails by it."""
        parent = attributes.get(PARENT)
        if parent is None or not isinstance(parent, str) or not _PARENT(parent):
            return None
        state = attributes.get(STATE)
        if isinstance(state, str) and len(state) <= STATE_CHARACTERS_MAX and _STATE(state):
            return cls(parent, state)
        return cls(parent)

    def headers(self) -> list[tuple[str, bytes]]:
        """As headers of a message."""
        parent = (PARENT, self.parent.encode())
        return [parent, (STATE, self.state.encode())] if self.state else [parent]
