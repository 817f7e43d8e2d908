"""What a seed stands for: who is at work, and which faults come when. Pure: the same seed is the same plan, for ever.

All kinds of faults are dealt out like cards: three seeds that follow each other (0-2, 3-5, …) together have each of them.
"""

import random
from typing import Final, NamedTuple

HANDS: Final = 3
"""So many seeds together inject every kind of fault."""
PARTITIONS: Final = (1, 2, 3, 4)
LEASE_S: Final = 2
SESSION_TIMEOUT_MS: Final = 1500
"""A worker that is silent for longer is replaced."""
TAILING_PERCENT: Final = 25
PAUSE_MS: Final = (2200, 3200)
"""How long a worker is stopped: always longer than its session and its lease last."""
OUTAGE_MS: Final = (100, 1200)
LONG: Final = ("pause", "restore-backup", "fail-over", "expire-commands")
"""They last as long as a worker is stopped: of the store that goes back, from the backup until it is put in its place."""
LAST: Final = "expire-commands"
"""Comes after all others: what has expired cannot be taken again by a store that goes back afterwards."""
DELAY_MS: Final = (0, 350)
WORKERS: Final = ("command", "relay", "projector")


class Fault(NamedTuple):
    """A kind of fault: what is done, to which kind of worker, at which point of its work (none: at any moment)."""

    action: str
    worker: str = ""
    point: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, self))


def _of(worker: str, action: str, *points: str) -> list[Fault]:
    return [Fault(action, worker, point) for point in ("", *points)]


FAULTS: Final = (
    # A point is before or after what `worker.SEAMS` names.
    *_of("command", "kill", "before-commit", "after-commit", "before-hear", "after-hear", "before-produce", "after-produce"),
    Fault("kill", "command", "before-checkpoint"),
    *_of("command", "pause", "before-commit", "before-hear", "before-produce", "before-checkpoint"),
    *_of("relay", "kill", "before-produce", "after-produce", "before-checkpoint"),
    *_of("relay", "pause", "before-produce", "before-checkpoint"),
    *_of("projector", "kill", "before-write", "before-rows", "after-rows", "after-write"),
    *_of("projector", "pause", "before-write"),
    *(Fault(action, worker) for worker in WORKERS for action in ("add", "remove")),
    Fault("stop-database"),
    Fault("kill-broker"),
    Fault("cut-database"),
    Fault("lose-commit-reply"),
    Fault("hold-commit-request"),
    Fault("cut-broker"),
    # The store goes back: what it recorded since is lost.
    Fault("restore-backup"),
    Fault("fail-over"),
    # Commands are dropped by Kafka before they are taken.
    Fault("expire-commands"),
)


GOES_BACK: Final = ("restore-backup", "fail-over")
PROVOKED_BY: Final = {
    "offset-cas": ["pause command before-commit"],
    "outcome-check": ["add command", "kill command after-hear", "add command"],
    "checkpoint": ["pause projector before-write"],
    "epoch": ["restore-backup"],
    "expiry": ["expire-commands"],
    "health": ["stop-database"],
}
"""By guard of `worker.BREAK` the faults that it holds against."""
PROVOKED_MS: Final = 6000
"""So long what is to come upon a broken guard lasts: somebody else takes the place in it, also on a machine with much to do."""


class Step(NamedTuple):
    """A part of the load is sent, and `delay_ms` later the fault is injected; what it takes away comes back after `lasts_ms`."""

    fault: Fault
    delay_ms: int
    lasts_ms: int

    def __str__(self) -> str:
        return f"{self.fault}, after {self.delay_ms} ms, for {self.lasts_ms} ms"


class Plan(NamedTuple):
    """What happens in a run."""

    seed: int
    partitions: int
    crew: dict[str, int]
    """How many workers of each kind there are at first."""
    steps: tuple[Step, ...]
    tailing: bool
    """Whether projectors read the store, and not Kafka."""

    def __str__(self) -> str:
        crew = ", ".join(f"{count} {kind}" for kind, count in self.crew.items())
        lines = [f"seed {self.seed}: {self.partitions} partitions; {crew} on {'the store' if self.tailing else 'Kafka'}"]
        return "\n".join([*lines, *(f"  {number:2}. {step}" for number, step in enumerate(self.steps, 1))])


def make_plan(seed: int) -> Plan:
    """The plan of a seed."""
    deck = list(FAULTS)
    random.Random(f"deck {seed // HANDS}").shuffle(deck)
    dice = random.Random(f"plan {seed}")
    return plan_of(deck[seed % HANDS :: HANDS], seed, dice)


def provoking(plan: Plan, broken: str) -> Plan:
    """The plan with what comes upon a guard that is broken (of `worker.BREAK`), and without what would put in order again what
    came of it: read tables are built anew, and lost events put back, when a store went back."""
    wanted = [Fault(*words.split()) for words in PROVOKED_BY[broken]]
    dice = random.Random(f"provoked {plan.seed}")
    kept = [step for step in plan.steps if step.fault not in wanted and step.fault.action not in GOES_BACK]
    added = [Step(fault, dice.randint(*DELAY_MS), PROVOKED_MS) for fault in wanted]
    steps = sorted([*kept, *added], key=lambda one: one.fault.action == LAST)
    return plan._replace(steps=tuple(steps), crew=dict.fromkeys(WORKERS, 2))


def plan_of(faults: list[Fault], seed: int, dice: random.Random) -> Plan:
    """A plan with these faults, in their order."""
    steps = []
    for fault in sorted(faults, key=lambda one: one.action == LAST):
        span = PAUSE_MS if fault.action in LONG else OUTAGE_MS
        steps.append(Step(fault, dice.randint(*DELAY_MS), dice.randint(*span)))
    crew = {kind: dice.randint(1, 2) for kind in WORKERS}
    return Plan(seed, dice.choice(PARTITIONS), crew, tuple(steps), dice.randrange(100) < TAILING_PERCENT)
