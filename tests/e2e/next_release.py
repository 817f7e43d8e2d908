"""The command line of the next release: the same program with the change that docs/rebuild-story.md makes.

It fills tables in short stretches, and slowly where NEXT_RELEASE_SLOW_S says so, so that a test can meet it on its way.
"""

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ltc_events.projections.declaration.projection import Operation, Projection
from ltc_events.projections.following import bulk_loader
from ltc_events.projections.tables import registry
from ltc_events.projections.tables.open_items import OpenItems
from ltc_events.schemas.payment import PaymentReceived
from ltc_events.schemas.record import Record

PAGE = Path(__file__).parents[2] / "docs" / "rebuild-story.md"
STRETCH_EVENTS = 50


def changed() -> type[Projection]:
    """The class on the page."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(code, str(PAGE), "exec"), names)
    found: type[Projection] = names["OpenItemsWithTerms"]
    assert found.version == OpenItems.version + 1, "the page tells of the version after the one that there is"
    return found


def install() -> None:
    """Put the changed table in the place of the one there is, before anybody has looked for it."""
    new = changed()
    registry.PROJECTIONS = tuple(new if one is OpenItems else one for one in registry.PROJECTIONS)
    bulk_loader.FILL_EVENTS = STRETCH_EVENTS
    slow = float(os.environ.get("NEXT_RELEASE_SLOW_S", "0"))
    if slow:
        quick = new.handlers[PaymentReceived]

        def slowly(projection: Any, event: Any, record: Record) -> Iterable[Operation]:
            time.sleep(slow)
            return quick(projection, event, record)

        new.handlers = {**new.handlers, PaymentReceived: slowly}


if __name__ == "__main__":
    install()
    from ltc_events.cli.main import main

    main()
