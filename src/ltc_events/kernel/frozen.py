"""Copies of frozen dataclasses with slots, which is what the states of aggregates are."""

from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a type checker knows the fields of `dataclasses.replace`
    from dataclasses import replace
else:

    def replace(state: Any, /, **changes: Any) -> Any:
        """As `dataclasses.replace`, in half the time: the copy is made slot by slot, without a call of `__init__`.

        For frozen dataclasses with slots and without `__post_init__`. Raises TypeError for a field that there is none of.
        """
        model = type(state)
        slots, setters = _slots(model)
        copy = object.__new__(model)
        for get, put in slots:
            put(copy, get(state))
        for name, value in changes.items():
            if name not in setters:
                raise TypeError(f"{model.__name__} has no field {name}")
            setters[name](copy, value)
        return copy


@lru_cache(maxsize=256)
def _slots(model: type[Any]) -> tuple[list[tuple[Any, Any]], dict[str, Any]]:
    """How to read and write each slot of a class, and how to write those of a name."""
    slots = {one.name: getattr(model, one.name) for one in fields(model)}
    return [(one.__get__, one.__set__) for one in slots.values()], {name: one.__set__ for name, one in slots.items()}


__all__ = ["replace"]
