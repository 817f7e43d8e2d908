"""The garbage collector is out of the way for a while, and then as it was."""

import gc
from contextlib import suppress

from ltc_events.kernel.collector import collector_paused, full_collections_rare


def test_it_pauses_and_goes_on_whatever_happens() -> None:
    with suppress(KeyError), collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the inner one leaves it to the outer one"
        raise KeyError
    assert gc.isenabled()


def test_full_collections_come_ten_times_more_rarely_whatever_happens() -> None:
    young, middle, old = gc.get_threshold()
    with suppress(KeyError), full_collections_rare():
        assert gc.get_threshold() == (young, middle, 10 * old)
        raise KeyError
    assert gc.get_threshold() == (young, middle, old)
