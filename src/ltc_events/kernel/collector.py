"""Garbage collection deferred while a batch is processed: it makes thousands of objects, and hardly any cyclic garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# So many objects more than before, and the young ones are looked through: those of some ten batches.
_RARE_YOUNG = 50_000
# After so many new objects in pauses, the live objects are counted: those of some twenty batches.
_COUNTED_AFTER = 200_000


@contextmanager
def collector_paused() -> Iterator[None]:
    """A context without garbage collections; they are enabled again at its end.

    For work on a few thousand objects: each collection would traverse every live object and find nothing to free. What is alive
    at the end joins the oldest generation unexamined, else the next allocation would traverse it. All objects are examined when
    there are twice as many as after the last time, so that cyclic garbage at most doubles the heap.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            _aging.age()
            gc.enable()


class _Aging:
    """Moves young objects into the oldest generation without traversing them, and decides when a full collection is due."""

    def __init__(self) -> None:
        self._uncounted = 0
        """New objects at the ends of pauses since live objects were last counted; many of them are freed meanwhile."""
        self._examined = 0
        """How many objects the last full collection left."""

    def age(self) -> None:
        """Age all objects, if a collection would follow. Objects that somebody has frozen stay so: then nothing is done."""
        young = gc.get_count()[0]
        if not 0 < gc.get_threshold()[0] < young or gc.get_freeze_count():
            return
        self._uncounted += young
        # Frozen objects are in a list of their own, to which and from which all move at once, in constant time.
        gc.freeze()
        is_due = self._is_due() if self._uncounted > _COUNTED_AFTER else False
        gc.unfreeze()
        if is_due:
            gc.collect()
            self._examined = len(gc.get_objects())

    def _is_due(self) -> bool:
        self._uncounted = 0
        alive = gc.get_freeze_count()
        self._examined = self._examined or alive
        return alive > 2 * self._examined


_aging = _Aging()


@contextmanager
def collections_rare() -> Iterator[None]:
    """A context with rare garbage collections, for a process that handles many objects and keeps a large cache.

    Reference counting frees nearly everything of a batch when it is answered. What stays (the states of up to 50,000
    streams) has no cycles; traversing it takes some tenths of a second and frees nothing.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _RARE_YOUNG), before[1], 10 * before[2])
    try:
        yield
    finally:
        gc.set_threshold(*before)
