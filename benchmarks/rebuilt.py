"""`python -m benchmarks.rebuilt CONNINFO PROCESSES STEPS NAME…`: rebuild read tables (none named: all) and say what it took.

It goes so many steps of priority back. The answer is JSON. It is a process of its own, so that memory and processor time are
those of the rebuild alone, its own processes included.
"""

import resource
import sys
import time
from typing import NamedTuple

import orjson

from benchmarks.peak import peak_bytes
from ltc_events.cli.projections.rebuild import step_back
from ltc_events.projections.rebuilding.rebuild import rebuild_together
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Rebuilt(NamedTuple):
    """What a rebuild took. `cpu_s`: of its processes, without the server's; `peak_bytes`: of the largest of them."""

    seconds: float
    cpu_s: float
    peak_bytes: int


def main() -> None:
    """Rebuild."""
    conninfo, processes, steps, *names = sys.argv[1:]
    projections = [one for one in PROJECTIONS if not names or one.table in names]
    step_back(int(steps))
    began = time.monotonic()
    rebuild_together(Database(conninfo), projections, by="benchmark", reason="measured", anew=True, processes=int(processes))
    seconds = time.monotonic() - began
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    sys.stdout.buffer.write(orjson.dumps(list(Rebuilt(seconds, cpu, max(peak_bytes(), others.ru_maxrss * _RSS_UNIT)))))


if __name__ == "__main__":
    main()
