"""The garbage collector is out of the way for a while, and then as it was."""

import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest

from ltc_events.kernel.collector import collections_rare, collector_paused


def test_it_pauses_and_goes_on_whatever_happens() -> None:
    with suppress(KeyError), collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the inner one leaves it to the outer one"
        raise KeyError
    assert gc.isenabled()


@pytest.fixture
def usual() -> Iterator[tuple[int, int, int]]:
    """What an interpreter begins with: others in this process may have changed it."""
    found, usual = gc.get_threshold(), (700, 10, 10)
    gc.set_threshold(*usual)
    yield usual
    gc.set_threshold(*found)


def test_collections_are_rarer_for_a_while_whatever_happens(usual: tuple[int, int, int]) -> None:
    with suppress(KeyError), collections_rare():
        assert gc.get_threshold() == (50_000, 10, 100)
        raise KeyError
    assert gc.get_threshold() == usual


def test_where_the_young_are_collected_more_rarely_already_it_stays_so(usual: tuple[int, int, int]) -> None:
    gc.set_threshold(200_000, *usual[1:])
    with collections_rare():
        assert gc.get_threshold() == (200_000, 10, 100)
    assert gc.get_threshold() == (200_000, 10, 10)
