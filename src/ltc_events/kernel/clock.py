"""The clock's interface. Pure packages never read the time: callers pass it in."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """A source of the present time."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""
        ...
