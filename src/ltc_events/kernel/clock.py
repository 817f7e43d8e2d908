"""The clock's interface. The core never asks the time: the shell does, and hands the answer in."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""
        ...
