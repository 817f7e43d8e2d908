"""W3C Trace Context: the trace that comes with a command is passed on with its events and its outcome."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

PARENT = "traceparent"
STATE = "tracestate"
STATE_CHARACTERS_MAX = 512
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
_STATE = re.compile(r"[\x20-\x7e]+").fullmatch


class Trace(NamedTuple):
    """A traceparent, `00-<trace id>-<span id>-<flags>`, and the tracestate of tracing systems (or "")."""

    parent: str
    state: str = ""

    @property
    def trace_id(self) -> str:
        """The 32 hexadecimal digits that all spans of a trace share."""
        return self.parent[3:35]

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> Self | None:
        """The trace of a command's CloudEvent. A malformed one is ignored, as the standard requires, and fails no command."""
        parent = attributes.get(PARENT)
        if parent is None or not isinstance(parent, str) or not _PARENT(parent):
            return None
        state = attributes.get(STATE)
        if isinstance(state, str) and len(state) <= STATE_CHARACTERS_MAX and _STATE(state):
            return cls(parent, state)
        return cls(parent)

    def headers(self) -> list[tuple[str, bytes]]:
        """The trace as message headers."""
        parent = (PARENT, self.parent.encode())
        return [parent, (STATE, self.state.encode())] if self.state else [parent]
