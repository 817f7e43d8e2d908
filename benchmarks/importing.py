"""The import of a real CRM's files, from the first row read to the reconciliation."""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from benchmarks.figure import Figure, not_run, within
from benchmarks.place import Place
from ltc_events.application.clock import SystemClock
from ltc_events.importing.run import run_import
from ltc_events.store import EventStore, Role

PROJECT = Path(__file__).resolve().parents[1]
MAPPING = PROJECT / "examples" / "zoho_crm"
DATA = PROJECT.parent / "shared" / "data" / "zoho_crm"
LIMIT_S = 10.0


def measure(place: Place) -> Iterator[Figure]:
    """Into an empty ledger."""
    name, unit = "import of zoho_crm", "s"
    if not DATA.is_dir():
        yield not_run(name, unit, "data absent")
        return
    with EventStore(place.database(), Role.WRITER) as store:
        began = perf_counter()
        run_import(MAPPING, DATA, store, SystemClock())
        seconds = perf_counter() - began
    yield within(name, unit, seconds, LIMIT_S)
