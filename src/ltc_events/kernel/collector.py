"""The garbage collector, out of the way where objects come by the thousand and none of them is garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
def full_collections_rare() -> Iterator[None]:
    """What has lived for long is looked through ten times more rarely: in a process that keeps much for long, as a cache.

    To look through the states of 50,000 streams takes some tenths of a second, and finds nothing: they hold no cycles.
    """
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, 10 * old)
    try:
        yield
    finally:
        gc.set_threshold(young, middle, old)
