"""Copies of frozen states."""

import importlib
import pkgutil
from dataclasses import dataclass, is_dataclass
from dataclasses import replace as replace_of_dataclasses
from typing import Any

import pytest

from ltc_events import aggregates
from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.policies import Versioned
from ltc_events.kernel.frozen import _copiers, replace


@dataclass(frozen=True, slots=True)
class State:
    name: str
    numbers: tuple[int, ...] = ()
    note: str | None = None


def test_a_copy_differs_in_what_was_changed_and_in_nothing_else() -> None:
    state = State("a", (1, 2))
    copy = replace(state, name="b", note="new")
    assert copy == replace_of_dataclasses(state, name="b", note="new") == State("b", (1, 2), "new")
    assert state == State("a", (1, 2))
    assert hash(copy) == hash(State("b", (1, 2), "new"))


def test_a_field_that_there_is_none_of_is_an_error() -> None:
    changes: dict[str, Any] = {"nmae": "b"}
    with pytest.raises(TypeError, match="State has no field nmae"):
        replace(State("a"), **changes)


@dataclass(frozen=True, slots=True)
class Wider(State):
    more: str = ""


def test_what_has_base_classes_is_not_copied_by_halves() -> None:
    with pytest.raises(TypeError, match="Wider has base classes"):
        replace(Wider("a"), name="b")


def test_what_aggregates_keep_can_be_copied_slot_by_slot() -> None:
    names = [one.name for one in pkgutil.iter_modules(aggregates.__path__, f"{aggregates.__name__}.")]
    kept = {
        one
        for name in names
        for one in vars(importlib.import_module(name)).values()
        if isinstance(one, type) and is_dataclass(one) and one.__module__.startswith(aggregates.__name__)
    }
    assert len(kept) >= 15
    assert not [one for one in kept if "__slots__" not in vars(one) or hasattr(one, "__post_init__") or "__dict__" in dir(one)]
    for one in kept - {Aggregate, Versioned}:  # what is generic is not copied
        blank = object.__new__(one)
        for name in one.__dataclass_fields__:
            object.__setattr__(blank, name, None)
        copy = _copiers[one](blank)
        copy.__class__ = one
        assert all(getattr(copy, name) is None for name in one.__dataclass_fields__)
