"""One run of the simulation: what is to happen when, and the commands that come of it in the order of time."""

import hashlib
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import date
from heapq import heappush
from typing import Any, Final
from uuid import UUID

import orjson

from ltc_events.aggregates.business_days import business_day
from ltc_events.kernel.errors import Kind, LtcError, Refused
from ltc_events.schemas.base import Command
from ltc_events.schemas.envelope import document
from ltc_events.simulation.chance import Chance
from ltc_events.simulation.in_memory_ledger import Books, Happened, InMemoryLedger
from ltc_events.simulation.working_time import DAY, HOUR, MINUTE, at_work, moment

Process = Generator[int]
"""Something that goes on: it does its next piece, and yields the second at which it wants to go on."""

SOURCES: Final = {
    noun: f"simulation/{system}"
    for system, nouns in {
        "marketing": ("campaign",),
        "crm": ("customer", "lead", "opportunity"),
        "cpq": ("quote", "contract"),
        "erp": ("order",),
        "billing": ("invoice", "credit_note", "claim"),
        "bank": ("payment",),
        "administration": ("policy", "price_book"),
    }.items()
    for noun in nouns
}
"""Which of the company's systems sends the commands of a noun."""
_ASKED_AGAIN: Final = 2500
"""One of so many commands is sent twice."""


def _first_id(*path: str) -> int:
    """What all ids of a party have in common: version and variant, and 50 bits of their own; 24 bits are left to count."""
    own = int.from_bytes(hashlib.sha256("\x1f".join(path).encode()).digest()[:8]) >> 14
    return 7 << 76 | own >> 38 << 64 | 2 << 62 | (own & (1 << 38) - 1) << 24


class StoryEnds(LtcError):
    """a command that should have been accepted was refused: {reason}"""

    kind = Kind.DEFECT


@dataclass(slots=True)
class Summary:
    """What a simulation has sent so far. It is complete once the commands have been read to their end."""

    seed: int
    customers: int
    starts_on: date
    ends_on: date
    customers_active: int = 0
    """Customers that have appeared."""
    commands: Counter[str] = field(default_factory=Counter)
    """Documents by type of command, repeats and refused ones included."""
    refused: Counter[str] = field(default_factory=Counter)
    """Commands that break a rule on purpose, by the code of their refusal."""
    repeated: int = 0
    """Commands that were sent twice, unchanged; each is among `commands` two times."""
    unforeseen: Counter[str] = field(default_factory=Counter)
    """Commands that the rules refuse though they were meant well, by code: none, unless the rules have changed."""
    events: int = 0
    """What the accepted commands make happen."""

    @property
    def total(self) -> int:
        """All documents."""
        return self.commands.total()


class Run:
    """The agenda, the ledger, and the commands that are sent and not yet returned."""

    __slots__ = ("_begun", "agenda", "last", "ledger", "now", "outbox", "root", "summary", "time")

    def __init__(self, root: tuple[str, ...], summary: Summary, last: int) -> None:
        self.root = root
        self.summary = summary
        self.last = last
        self.now = 0
        self.time = moment(0)
        self.ledger = InMemoryLedger()
        self.outbox: list[bytes] = []
        self.agenda: list[tuple[int, int, Process]] = []
        self._begun = 0

    def advance(self, now: int) -> None:
        """Let it be this second."""
        self.now = now
        self.time = moment(now)

    def begin(self, process: Process, at: int) -> None:
        """Let a process have its first turn at a second; those of the same second take turns in the order of asking."""
        self._begun += 1
        heappush(self.agenda, (max(at, self.now), self._begun, process))


class Party:
    """Somebody whose commands have one key: a customer, or the company itself."""

    __slots__ = ("_ids", "books", "chance", "customer_id", "run")

    def __init__(self, run: Run, chance: Chance, *path: str) -> None:
        self.run = run
        self.chance = chance
        self.books = Books()
        self.customer_id: UUID | None = None
        self._ids = _first_id(*run.root, *path)

    def new_id(self) -> UUID:
        """The next identifier of this party: a UUID of version 7 that is the same in every run (RFC 9562)."""
        self._ids += 1
        return UUID(int=self.run.now * 1000 << 80 | self._ids)

    def do(self, command: Command, subject: UUID, by: str) -> list[Any]:
        """Send a command and learn its events. Whatever the rules refuse ends the story that wanted it."""
        summary = self.run.summary
        body = self._send(command, subject, by)
        try:
            happened = self._decide(command, subject)
        except Refused as refusal:
            summary.unforeseen[f"{command.type}: {refusal.code}"] += 1
            raise StoryEnds(reason=refusal) from refusal
        summary.events += len(happened)
        if self.chance.below(_ASKED_AGAIN) == 0:
            self._repeat(body, command.type)
        return [event for _, event in happened]

    def attempt(self, command: Command, subject: UUID, by: str, refusal: type[Refused]) -> None:
        """Send a command that breaks a rule, as happens in every company; the rules are expected to refuse it."""
        summary = self.run.summary
        self._send(command, subject, by)
        try:
            happened = self._decide(command, subject)
        except refusal as refused:
            summary.refused[refused.code] += 1
        except Refused as refused:
            summary.unforeseen[f"{command.type}: {refused.code}"] += 1
        else:
            summary.unforeseen[f"{command.type}: accepted"] += 1
            summary.events += len(happened)

    def misspell(self, command: Command, subject: UUID, by: str, field: str, value: str) -> None:
        """Send a command with a field that cannot be read."""
        body = self._send(command, subject, by)
        body["data"][field] = value
        self.run.outbox[-1] = orjson.dumps(body)
        self.run.summary.refused["malformed"] += 1

    def observe(self, happened: list[Happened]) -> None:
        """Take note of what came of a command."""

    def after(self, low: int, high: int, unit: int = DAY) -> int:
        """A second within working hours, so many days (or other units) from now."""
        return at_work(self.run.now + self.chance.between(low * unit, high * unit))

    def hours(self, low: int, high: int) -> int:
        """A second within working hours, so many hours from now."""
        return self.after(low, high, HOUR)

    def moments(self, low: int, high: int) -> int:
        """Some seconds from now, be it at night."""
        return self.run.now + self.chance.between(low, high)

    def minutes(self, low: int, high: int) -> int:
        """A second within working hours, so many minutes from now."""
        return self.after(low, high, MINUTE)

    @property
    def today(self) -> date:
        """The company's business day."""
        return business_day(self.run.time, self.run.ledger.policies.company.content)

    def _send(self, command: Command, subject: UUID, by: str) -> dict[str, Any]:
        """Put the command's document into the outbox."""
        run = self.run
        body = document(
            command,
            command_id=self.new_id(),
            subject=subject,
            customer_id=self.customer_id,
            source=SOURCES[command.type.partition(".")[0]],
            time=run.time,
            actor=by,
        )
        run.outbox.append(orjson.dumps(body))
        run.summary.commands[command.type] += 1
        return body

    def _decide(self, command: Command, subject: UUID) -> list[Happened]:
        # What was sent leaves the times to its envelope; the rules want them in the command. Nobody else has it, so that
        # it is changed in place: a copy costs as much as the rest of a simple command.
        time = self.run.time
        object.__setattr__(command, "occurred_at", time)
        if command.effective_on == date.min:
            object.__setattr__(command, "effective_on", self.today)
        happened = self.run.ledger.decide(command, subject, self.customer_id, self.books)
        self.observe(happened)
        return happened

    def _repeat(self, body: dict[str, Any], type_name: str) -> None:
        """The sender got no answer and asks again: the same command, or by mistake another one under the same id."""
        summary = self.run.summary
        if self.chance.percent(25):
            body["actor"] += " (copy)"
            summary.refused["command_id_reused"] += 1
        else:
            summary.repeated += 1
        summary.commands[type_name] += 1
        self.run.outbox.append(orjson.dumps(body))
