"""The garbage collector is out of the way for a while, and then as it was."""

import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest

from ltc_events.kernel import collector
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


class Node:
    """An object that can be part of a cycle."""

    alive = 0

    def __init__(self) -> None:
        self.me: Node | None = None
        Node.alive += 1

    def __del__(self) -> None:
        Node.alive -= 1


def test_what_a_pause_leaves_is_not_examined_at_its_end(usual: tuple[int, int, int]) -> None:
    collections = []
    gc.collect()
    gc.callbacks.append(lambda phase, info: collections.append(info["generation"]))
    try:
        with collector_paused():
            kept = [Node() for _ in range(5_000)]
        made = [Node() for _ in range(usual[0] // 2)]  # too few for a collection, unless those of the pause counted too
    finally:
        gc.callbacks.pop()
    assert (collections, len(kept), len(made)) == ([], 5_000, 350)
    assert gc.get_freeze_count() == 0


def test_cyclic_garbage_of_pauses_at_most_doubles_the_heap(monkeypatch: pytest.MonkeyPatch, usual: tuple[int, int, int]) -> None:
    monkeypatch.setattr(collector, "_COUNTED_AFTER", 1_000)
    monkeypatch.setattr(collector, "_aging", collector._Aging())
    gc.collect()
    before, most = len(gc.get_objects()), 0
    for _ in range(2 * before // 1_000):
        with collector_paused():
            for _ in range(1_000):
                one = Node()
                one.me = one
        most = max(most, Node.alive)
    assert before // 4 < most < before + 10_000


def test_what_somebody_has_frozen_stays_frozen(usual: tuple[int, int, int]) -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with collector_paused():
            kept = [Node() for _ in range(2 * usual[0])]
        assert gc.get_freeze_count() > frozen - 1_000
        assert len(kept) == 2 * usual[0]
    finally:
        gc.unfreeze()
