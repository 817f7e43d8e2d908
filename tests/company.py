"""A simulated company in a database of its own, with its read tables up to date: made once, shared by tests that only read."""

from itertools import islice

from ltc_events.bootstrap.services import open_pipeline
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.simulation import simulate
from ltc_events.store import Database

BATCH = 500


def found_company(database: Database, seed: int = 7, customers: int = 60, days: int = 365) -> None:
    """Submit a simulated company's commands and bring the read tables up to the log."""
    commands = iter(simulate(seed, customers, days))
    with open_pipeline(database) as pipeline:
        while batch := list(islice(commands, BATCH)):
            pipeline.submit(batch)
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
