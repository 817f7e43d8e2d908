"""Garbage collection deferred while a batch is processed: it makes thousands of objects, and hardly any cyclic garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# So many objects more than before, and the young ones are looked through: those of some ten batches.
_RARE_YOUNG = 50_000


@contextmanager
def collector_paused() -> Iterator[None]:
    """A context without garbage collections; they are enabled again at its end.

    For work on a few thousand objects: each collection would traverse every live object and find nothing to free.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


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
