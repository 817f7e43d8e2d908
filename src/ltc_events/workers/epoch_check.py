"""Checks, right before something is published, that the store has not gone back since it was read."""

import time
from collections.abc import Callable

from ltc_events.store import EpochOver, EventStore, StoreWentBack

# A process that takes longer than this between reading the store and publishing may have slept: then the store is checked again.
LATE_S = 1.0


def require_current_epoch(store: EventStore, epoch: str, since: float, lost: Callable[[], str]) -> None:
    """Check that the store is still in `epoch` and holds what is about to be published; `lost` names what it lacks, or is empty.

    There is no check within LATE_S seconds of `since`, the time of the read on the monotonic clock. Raises EpochOver,
    StoreWentBack.
    """
    if time.monotonic() - since < LATE_S:
        return
    present = store.epochs().current.name
    if present != epoch:
        raise EpochOver(present=present, known=epoch)
    if what := lost():
        raise StoreWentBack(what=what)
