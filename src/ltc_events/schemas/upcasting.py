"""Upcasting: events stored under an older type are read as events of today. Pure; what is stored never changes.

An upcaster stands beside the event's class, in the module of its noun. It maps the JSON data of one event to that of its
successor, or of several; those may have upcasters of their own. The class of the older version is removed.

```python
@upcast("parcel.packed.v1", "parcel.packed.v2")
def packed_v2(data: Data) -> Data:
    return {**data, "unit": "kg"}

rename("parcel.dropped.v1", "parcel.lost.v1")

@split("parcel.handed_over.v1", "parcel.sent.v1", "parcel.billed.v1")
def handed_over(data: Data) -> Iterator[Part]:
    yield "parcel.sent.v1", {"to": data["to"]}
    yield "parcel.billed.v1", {"amount": data["amount"]}
```
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.schemas.base import EVENTS

Data: TypeAlias = dict[str, Any]
"""The data of an event as JSON has it: amounts, ids, dates and times are strings."""
Part: TypeAlias = tuple[str, Data]
"""The stable name and the data of an event."""
Split: TypeAlias = Callable[[Data], Iterable[Part]]
_VERSION = re.compile(r"(.+)\.v([0-9]+)")


class Upcaster(NamedTuple):
    """The upcaster of one older type: `upcast` gives events of the types `new`, the first of them always first.

    It gives at most one event of each type, except of those that `many` names.
    """

    old: str
    new: tuple[str, ...]
    upcast: Callable[[Data], Iterable[Part]]
    many: frozenset[str] = frozenset()

    def complaint(self, types: Sequence[str]) -> str | None:
        """How the upcaster's result differs from its declaration, on which queries by event type rely."""
        if not types or types[0] != self.new[0]:
            return f"it does not begin with {self.new[0]}"
        for type in types:
            if type not in self.new:
                return f"it gives {type}, and declares {', '.join(self.new)} alone"
            if types.count(type) > 1 and type not in self.many:
                return f"it gives {type} more than once, which is not declared"
        return None


class CannotUpcast(LtcError):
    """the upcaster of {type} fails: {reason}"""

    kind = Kind.DEFECT
    remedy = "mend the upcaster of {type}; the stored event stays as it is"


UPCASTERS: dict[str, Upcaster] = {}
"""The upcaster of each older type, by the older type's stable name."""


def upcast(old: str, new: str) -> Callable[[Callable[[Data], Data]], Callable[[Data], Data]]:
    """Declare that events of the type `old` are read as `new`: the decorated function maps their data."""

    def register(make: Callable[[Data], Data]) -> Callable[[Data], Data]:
        _register(Upcaster(old, (new,), lambda data: [(new, make(data))]))
        return make

    return register


def rename(old: str, new: str) -> None:
    """Declare that events of the type `old` are read as `new`, with the same data."""
    _register(Upcaster(old, (new,), lambda data: [(new, data)]))


def split(old: str, *new: str, many: Iterable[str] = ()) -> Callable[[Split], Split]:
    """Declare that one event of the type `old` is read as several of the types `new`, in order.

    One event of the first type always comes first. Of each other type there may be one, of those in `many` any number. They
    belong to one stream and share their position and version.
    """

    def register(make: Split) -> Split:
        _register(Upcaster(old, new, make, frozenset(many)))
        return make

    return register


def upcast_to_current(type: str, data: Data) -> list[Part]:
    """A stored event in its current form: at least one event. Raises CannotUpcast."""
    upcaster = UPCASTERS.get(type)
    if upcaster is None:
        return [(type, data)]
    try:
        parts = [(str(new), dict(content)) for new, content in upcaster.upcast(data)]
    except Exception as error:  # an upcaster is the code of a release, may raise anything, and the event is to be named
        raise CannotUpcast(type=type, reason=f"{error.__class__.__name__}: {error}") from error
    complaint = upcaster.complaint([new for new, _ in parts])
    if complaint:
        raise CannotUpcast(type=type, reason=complaint)
    return [today for new, content in parts for today in upcast_to_current(new, content)]


def stored_as(types: Iterable[str]) -> list[str]:
    """The stored types that may be read as events of these types: the types themselves, and all older ones."""
    found = dict.fromkeys(types)
    if UPCASTERS:
        waiting = list(found)
        while waiting:
            new = waiting.pop()
            older = [one.old for one in UPCASTERS.values() if new in one.new and one.old not in found]
            found.update(dict.fromkeys(older))
            waiting += older
    return list(found)


def beginning_as(type: str) -> list[str]:
    """The stored types that are read as an event of this type, alone or as the first of several."""
    return [type, *(old for old in UPCASTERS if _first(old) == type)]


def becomes_several(types: Collection[str]) -> str | None:
    """An older type of which one event may be read as several of these types; None: there is none."""
    for old in UPCASTERS:
        told = _read_as(old)
        if sum(told[type] for type in types) > 1:
            return old
    return None


def newest_known(type: str) -> str | None:
    """The newest version of this type that this program knows, if any: `invoice.issued.v2` for `invoice.issued.v7`."""
    parsed = _VERSION.fullmatch(type)
    if parsed is None:
        return None
    versions = [int(found[2]) for found in map(_VERSION.fullmatch, (*EVENTS, *UPCASTERS)) if found and found[1] == parsed[1]]
    return f"{parsed[1]}.v{max(versions)}" if versions else None


def problems() -> Iterator[str]:
    """What is wrong with the upcasters as a whole, one sentence each."""
    for old, upcaster in UPCASTERS.items():
        if old in EVENTS:
            yield f"{old}: it has an upcaster, so nothing is told as {old} any more; remove the class of that type"
        for new in upcaster.new:
            if new not in EVENTS and new not in UPCASTERS:
                yield f"{old}: its upcaster leads to {new}, which is no event; give it a class, or an upcaster that leads on"


def _register(upcaster: Upcaster) -> None:
    if upcaster.old in UPCASTERS:
        raise ValueError(f"{upcaster.old} has an upcaster already")
    if not upcaster.new or upcaster.old in _reached(upcaster.new):
        raise ValueError(f"{upcaster.old} leads to nothing, or to itself")
    UPCASTERS[upcaster.old] = upcaster


def _reached(types: Sequence[str]) -> set[str]:
    """These types and all types reachable from them through upcasters."""
    return set(types).union(*(_reached(UPCASTERS[type].new) for type in types if type in UPCASTERS))


def _first(type: str) -> str:
    return _first(UPCASTERS[type].new[0]) if type in UPCASTERS else type


def _read_as(type: str) -> Counter[str]:
    """The types that one event of this type is read as, each with how many there may be (2: any number)."""
    upcaster = UPCASTERS.get(type)
    if upcaster is None:
        return Counter([type])
    told: Counter[str] = Counter()
    for new in upcaster.new:
        for _ in range(2 if new in upcaster.many else 1):
            told.update(_read_as(new))
    return told
