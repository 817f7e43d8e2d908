"""A store on which another writer is quicker, at a moment that the test chooses."""

from collections.abc import Callable
from typing import Any

from ltc_events.store import EventStore


class Racing(EventStore):
    """Between our look and our commit, a rival commits: once, each time one is named. `looks` counts our looks."""

    rival: Callable[[], object] | None = None
    looks = 0

    def begin(self, *args: Any) -> Any:
        self.looks += 1
        return super().begin(*args)

    def begin_append(self, commit: Any) -> Callable[[], int]:
        if self.rival is not None:
            rival, self.rival = self.rival, None
            rival()
        return super().begin_append(commit)
