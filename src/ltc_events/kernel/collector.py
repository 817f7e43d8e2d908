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
