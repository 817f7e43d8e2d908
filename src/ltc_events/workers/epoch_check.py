"""The last look at the store before others are told what it has: whoever took long since may speak of what it has lost."""

import time
from collections.abc import Callable

from ltc_events.store import EpochOver, EventStore, StoreWentBack

# Who needs longer from reading the store to telling others what it has may have slept: then the store is asked once more.
LATE_S = 1.0


def require_current_epoch(store: EventStore, epoch: str, since: float, lost: Callable[[], str]) -> None:
    """See that the store is still of an epoch, and has what is about to be told: `lost` says what it has not, empty: nothing.

    Nothing is asked where that was read or decided less than a moment ago; `since` is a time of the monotonic clock. Raises
    EpochOver, StoreWentBack.
    """
    if time.monotonic() - since < LATE_S:
        return
    present = store.epochs().current.name
    if present != epoch:
        raise EpochOver(present=present, known=epoch)
    if what := lost():
        raise StoreWentBack(what=what)
