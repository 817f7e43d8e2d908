"""The garbage collector, out of the way where objects come by the thousand and none of them is garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# So many objects more than before, and the young ones are looked through: those of some ten batches.
_RARE_YOUNG = 50_000


@contextmanager
def collector_paused() -> Iterator[None]:
    """No collections meanwhile: the collector would look through all that lives again and again, for nothing.

    For work of some thousand objects at a time; the next collection after it takes care of what was left over.
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
    """Far fewer collections: for a process through which objects go by the thousand, and which keeps many for long.

    Of a batch of commands almost all is gone by itself when it is answered, and what stays (the states of up to 50,000
    streams) holds no cycles; to look through those takes some tenths of a second, and finds nothing.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _RARE_YOUNG), before[1], 10 * before[2])
    try:
        yield
    finally:
        gc.set_threshold(*before)
