"""Submits a simulated company to a ledger."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bootstrap.services import Services
from ltc_events.kernel.errors import LtcError
from ltc_events.schemas.outcome import Outcome
from ltc_events.store.database import Role

BATCH = 500
"""Commands a transaction."""


class LedgerNotEmpty(LtcError):
    """the ledger has {events} events: a made-up company would stay among them for good"""

    remedy = (
        "name an empty database with LTC_DATABASE_URL or LTC_HOME, write the commands to a file with --output, "
        "or say --into-existing, with which one that was interrupted goes on, too"
    )


class Submitted(NamedTuple):
    """How the commands ended."""

    by_status: Counter[str]
    """How many ended how: the status of the outcome, or `undecodable`."""

    def document(self) -> dict[str, Any]:
        """As JSON: how many commands there were, and how they ended."""
        return {"commands": self.by_status.total(), "by_status": dict(self.by_status)}


def require_empty(services: Services, *, into_existing: bool) -> None:
    """Raise LedgerNotEmpty if the ledger has events, unless they may be joined: nothing takes the company out again."""
    events, _ = services.store(Role.WRITER).head()
    if events and not into_existing:
        raise LedgerNotEmpty(events=events)


def submit_all(pipeline: CommandPipeline, commands: Iterator[bytes], advance: Callable[[int], None]) -> Submitted:
    """Submit commands in batches of 500; `advance` is told how many are done, after each."""
    counts: Counter[str] = Counter()
    while batch := list(islice(commands, BATCH)):
        for answer in pipeline.submit(batch):
            counts[answer.document()["status"] if isinstance(answer, Outcome) else "undecodable"] += 1
        advance(len(batch))
    return Submitted(counts)
