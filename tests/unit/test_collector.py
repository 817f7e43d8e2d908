"""The garbage collector is out of the way for a while, and then as it was."""

import gc
from contextlib import suppress

from ltc_events.kernel.collector import collections_rare, collector_paused


def test_it_pauses_and_goes_on_whatever_happens() -> None:
    with suppress(KeyError), collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the inner one leaves it to the outer one"
        raise KeyError
    assert gc.isenabled()


def test_collections_are_rarer_for_a_while_whatever_happens() -> None:
    before = gc.get_threshold()
    with suppress(KeyError), collections_rare():
        assert all(rare >= usual for rare, usual in zip(gc.get_threshold(), before, strict=True))
        assert gc.get_threshold() != before
        raise KeyError
    assert gc.get_threshold() == before
