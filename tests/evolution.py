"""Programs of other releases, for tests: each knows its own events and upcasters, and they come and go."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ltc_events.schemas.base import EVENTS
from ltc_events.schemas.upcasting import UPCASTERS
from ltc_events.store.decoding import DECODERS

PAGE = Path(__file__).parents[1] / "docs" / "evolution.md"


@contextmanager
def release(*gone: str) -> Iterator[None]:
    """A program that knows what this one does, but for the types that are `gone`; what it registers, it forgets in the end."""
    before = dict(EVENTS), dict(UPCASTERS)
    DECODERS.clear()
    for name in gone:
        del EVENTS[name]
    try:
        yield
    finally:
        for registry, content in zip((EVENTS, UPCASTERS), before, strict=True):
            registry.clear()
            registry.update(content)
        DECODERS.clear()


def blocks(language: str = "python") -> list[str]:
    """The code that the page on evolution shows, block by block."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def run_blocks(*numbers: int) -> dict[str, Any]:
    """Run these blocks of the page one after the other, and see what they define."""
    namespace: dict[str, Any] = {"__name__": "docs.evolution"}
    for number in numbers:
        exec(compile(blocks()[number], f"{PAGE.name}, block {number + 1}", "exec"), namespace)
    return namespace
