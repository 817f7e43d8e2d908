"""A worker that kills itself (SIGKILL) at a named point, once.

`python -m tests.dying_worker KIND POINT DATABASE BOOTSTRAP PREFIX`

Points are `before` or `after`, then what (a key of `METHODS`), then optionally at which time.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import Bus
from ltc_events.projections.following import partition_runner
from ltc_events.projections.following.partition_runner import PartitionRunner
from ltc_events.projections.tables.customer_profiles import CustomerProfiles
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.projections.writing.table_writer import Writer
from ltc_events.store import Database, EventStore
from ltc_events.store.lease import Lease
from ltc_events.workers.command import open_command_worker
from ltc_events.workers.loop import Stop, run
from ltc_events.workers.projector import open_projector
from ltc_events.workers.relay import open_relay

METHODS: dict[str, tuple[Any, str]] = {
    "append": (EventStore, "begin_append"),
    "commit": (EventStore, "_end_append"),
    "send": (Publisher, "send"),
    "settle": (Publisher, "settle"),
    "advance": (EventStore, "advance"),
    "lease": (Lease, "advance"),
    "take": (PartitionRunner, "take"),
    "write": (partition_runner, "write_shares"),
    "rows": (Writer, "_change"),
    "idle": (partition_runner, "move_idle_apart"),
}
OPEN: dict[str, Callable[..., Any]] = {
    "command": open_command_worker,
    "relay": open_relay,
    "projector": lambda bus, database, _: open_projector(bus, database, projections=(Timeline, Customers, CustomerProfiles)),
}


def die_at(point: str) -> None:
    """Let the process end right before or after what `point` names."""
    when, what, *times = point.split("-")
    owner, name = METHODS[what]
    original = getattr(owner, name)
    left = int(times[0]) if times else 1

    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        is_it = left == 0  # others may come in from other threads meanwhile
        if is_it and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **named)
        if is_it:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, dying)


def main(kind: str, point: str, conninfo: str, bootstrap: str, prefix: str) -> None:
    """Work until the point is reached."""
    bus, database = Bus(bootstrap, prefix), Database(conninfo)
    die_at(point)
    run(kind, lambda: OPEN[kind](bus, database, Publisher(bus)), Stop())


if __name__ == "__main__":
    main(*sys.argv[1:])
