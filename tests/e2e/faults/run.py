"""One run: a plan is carried out on a load, and what is there afterwards is checked."""

import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from psycopg.rows import namedtuple_row
from tests.e2e.faults.checker import shortened, undisturbed, violations
from tests.e2e.faults.crew import Crew
from tests.e2e.faults.facts import STORED_EVENTS, Facts, gather
from tests.e2e.faults.load import Load
from tests.e2e.faults.observer import observed
from tests.e2e.faults.plan import WORKERS, Fault, Plan
from tests.e2e.faults.scene import Scene
from tests.e2e.faults.servers import Servers
from tests.e2e.faults.statements import Outage, Said, untrue
from tests.e2e.faults.worker import Post

from ltc_events.bootstrap.services import open_pipeline
from ltc_events.bus.topics import COMMANDS
from ltc_events.store import Role

BATCH = 400
BREAK_DATABASE = {
    "offset-cas": """
        CREATE OR REPLACE FUNCTION ltc.set_offset(feed text, part integer, expected bigint, next bigint) RETURNS void
        LANGUAGE sql AS $$
            INSERT INTO ltc.offsets VALUES (feed, part, next) ON CONFLICT (feed, partition) DO UPDATE SET next_offset = next
        $$
    """,
    "outcome-check": "ALTER TABLE ltc.outcomes DROP CONSTRAINT outcomes_command_key",
}
"""What is done to the database to break a guard that is there."""


class Report(NamedTuple):
    """What came of a run."""

    plan: Plan
    messages: int
    events: int
    injected: Counter[Fault]
    missed: list[Fault]
    """Faults whose point no worker came to."""
    violations: list[str]
    seconds: float
    journal: str
    """What happened, and when."""
    log: str
    """What the workers said."""
    folder: Path
    """Where the workers' logs are, if there are violations."""
    said: list[Said]
    """What workers said to whoever watched."""
    outages: list[Outage]
    well_until: float | None
    """When all workers were well, in the end; None: they never were."""

    @property
    def statements(self) -> int:
        """How often a worker answered."""
        return sum(one.health is not None for one in self.said)


def run(servers: Servers, plan: Plan, load: Load, *, broken: str = "", well_s: float = 0.0) -> Report:
    """Carry out a plan and check what is there afterwards. In the end all workers say for `well_s` that they are well."""
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f"ltc-faults-{plan.seed}-"))
    place = servers.place(plan.partitions)
    if broken in BREAK_DATABASE:
        with place.database_inside.connect(Role.OWNER) as owner:
            owner.execute(BREAK_DATABASE[broken])
    posts = {kind: Post(place.databases[kind].conninfo, *place.bus[:2], folder, kind, broken) for kind in WORKERS}
    if plan.tailing:
        posts["projector"] = posts["projector"]._replace(does="tailing projector")
    crew = Crew(posts, plan.crew)
    with observed(servers, folder) as observer:
        scene = Scene(servers, place, crew, observer, load, plan, folder / "journal", well_s)
        try:
            found = scene.play()
        finally:
            scene.restore()
            crew.end_at_once()
    found += crew.ill_ends + scene.administrator.violations
    found += shortened(list(untrue(observer.said, observer.outages)))
    with servers.other_database() as afresh:
        facts = gather(place.bus_inside, place.database_inside, afresh, scene.expiry.archive, scene.expiry.expired)
    found += violations(load, facts, place.bus.topic(COMMANDS))
    found += undisturbed(facts, _without_faults(servers, load), _open_ended(load, facts))
    servers.drop(place)
    journal = (folder / "journal").read_text()
    log = "".join(one.read_text(errors="replace") for one in sorted(folder.glob("*.log")))
    if not found:
        shutil.rmtree(folder)
    seconds = time.monotonic() - begun
    happened = scene.injected, scene.missed, found, seconds, journal, log, folder
    return Report(plan, len(load.messages), facts.head, *happened, observer.said, observer.outages, scene.well_until)


def _without_faults(servers: Servers, load: Load) -> list[Any]:
    """The events that the same load makes in one process that nobody harms."""
    with servers.other_database() as database:
        with open_pipeline(database) as pipeline:
            commands = [load.commands[one] for one in load.messages if one in load.commands]
            for start in range(0, len(commands), BATCH):
                pipeline.submit(commands[start : start + BATCH])
        with database.connect(Role.OWNER) as connection:
            return connection.cursor(row_factory=namedtuple_row).execute(STORED_EVENTS).fetchall()


def _open_ended(load: Load, facts: Facts) -> frozenset[str]:
    """The customers of whom it is open what becomes: who is first of those that share an id? And whose commands expired?"""
    lost = frozenset((one.key or b"").decode(errors="replace") for one in facts.expired)
    return lost | frozenset(one["partitionkey"] for one in load.commands.values() if one["id"] in load.twins)
