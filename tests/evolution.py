"""Programs of other releases, for tests: each knows its own events and upcasters, and they come and go.

The code of two of them, whose business is parcels, is that of docs/evolution.md.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.projection_samples import NOON, TODAY, append, number

from ltc_events.schemas.base import COMMANDS, EVENTS, Event
from ltc_events.schemas.upcasting import UPCASTERS
from ltc_events.store import EventStore, NewEvent
from ltc_events.store.decoding import DECODERS

PAGE = Path(__file__).parents[1] / "docs" / "evolution.md"
PACKED, HANDED_OVER, DROPPED = "parcel.packed.v1", "parcel.handed_over.v1", "parcel.dropped.v1"


@contextmanager
def release(*gone: str) -> Iterator[None]:
    """A program that knows what this one does, but for the types that are `gone`; what it registers, it forgets in the end."""
    registries: tuple[dict[str, Any], ...] = (EVENTS, COMMANDS, UPCASTERS)
    before = [dict(registry) for registry in registries]
    DECODERS.clear()
    for name in gone:
        del (EVENTS if name in EVENTS else COMMANDS)[name]
    try:
        yield
    finally:
        for registry, content in zip(registries, before, strict=True):
            registry.clear()
            registry.update(content)
        DECODERS.clear()


def blocks(language: str = "python") -> list[str]:
    """The code that the page on evolution shows, block by block."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def run_blocks(*numbers: int) -> dict[str, Any]:
    """Run these blocks of the page one after the other, and see what they define."""
    namespace: dict[str, Any] = {"__name__": "docs.evolution"}
    for block in numbers:
        exec(compile(blocks()[block], f"{PAGE.name}, block {block + 1}", "exec"), namespace)
    return namespace


def first_release() -> Any:
    """What the page's first block defines."""
    return run_blocks(0)


def second_release() -> Any:
    """What its second and third block define."""
    return run_blocks(1, 2)


def happens(parcel: int, version: int, event: Event) -> NewEvent:
    """What happens to a parcel, as its `version`-th event."""
    command = number(10**12 + 100 * parcel + version)
    return NewEvent(number(parcel), version, event, None, NOON, TODAY, command, command, command, "tests")


def life(old: Any, parcel: int = 1, fee: str = "7") -> list[NewEvent]:
    """A parcel as the first release recorded it."""
    events = (
        old["ParcelPacked"](weight=Decimal("2.5")),
        old["ParcelHandedOver"](carrier="Ant", fee=Decimal(fee)),
        old["ParcelDropped"](reason="it fell"),
    )
    return [happens(parcel, version, event) for version, event in enumerate(events, 1)]


@pytest.fixture
def written(event_store: EventStore) -> EventStore:
    """A store that the first release has written: the page's parcel."""
    with release():
        append(event_store, *life(first_release()))
    return event_store


@pytest.fixture
def second(written: EventStore) -> Iterator[Any]:
    """The second release at work on that store."""
    with release():
        yield second_release()
