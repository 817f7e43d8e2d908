"""The epochs of the store: one begins whenever the store went back, by a restore or a failover that lost events."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple


class Epoch(NamedTuple):
    """One epoch. Its events are those after the position `after`, up to the beginning of the next epoch."""

    number: int
    name: str
    after: int
    begun_at: datetime
    begun_by: str
    reason: str


class Epochs:
    """All epochs of a store, oldest first; there is at least one."""

    def __init__(self, epochs: Sequence[Epoch]) -> None:
        self.all = tuple(epochs)
        # A later epoch may have begun further back than those between, and taken away all behind it.
        self._limits = {
            one.name: min((later.after for later in self.all[at:]), default=None) for at, one in enumerate(self.all, 1)
        }

    @property
    def current(self) -> Epoch:
        """The epoch of new events."""
        return self.all[-1]

    @property
    def first(self) -> Epoch:
        """The epoch of messages without an epoch, which come from a release without epochs."""
        return self.all[0]

    def of(self, position: int) -> Epoch:
        """The epoch of the event at a position."""
        return next(one for one in reversed(self.all) if one.after < position or one is self.all[0])

    def knows(self, name: str) -> bool:
        """Whether the store has had this epoch."""
        return name in self._limits

    def holds(self, name: str, position: int) -> bool:
        """Whether an event of this epoch at this position still exists, that is, was not lost when the store went back."""
        limit = self._limits[name]
        return limit is None or position <= limit


def next_name(number: int, salt: str) -> str:
    """The name of an epoch; the salt distinguishes it from an epoch that another server begins under the same number."""
    return f"{number}-{salt}"
