"""A story: a tree of facts, each with its event, and of recomputed sums that must agree with the events."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from ltc_events.kernel.errors import LtcError
from ltc_events.kernel.time_zones import utc_text
from ltc_events.schemas.record import Record


@dataclass(frozen=True, slots=True)
class Check:
    """A recomputed sum: `expected` is the recomputed value, `found` that of the event."""

    name: str
    expected: Decimal
    found: Decimal

    @property
    def holds(self) -> bool:
        """Whether both are equal, to the last digit."""
        return self.expected == self.found


@dataclass(slots=True)
class Node:
    """One line of the story. `record` is its event; `policies` name the policies in force, with versions."""

    text: str
    record: Record | None = None
    amount: Decimal | None = None
    currency: str = ""
    policies: dict[str, int] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)

    @property
    def dated_before(self) -> date | None:
        """The later date of what its event acts on, where policy has that recorded all the same."""
        return getattr(self.record.event, "dated_before", None) if self.record else None

    def add(self, text: str, record: Record | None = None, **more: Any) -> "Node":
        """Add a line below this one."""
        node = Node(text, record, **more)
        self.children.append(node)
        return node

    def check(self, name: str, expected: Decimal, found: Decimal) -> None:
        """Add a recomputed sum."""
        self.checks.append(Check(name, expected, found))

    def walk(self) -> Iterator["Node"]:
        """This line and all below it, top down."""
        yield self
        for child in self.children:
            yield from child.walk()

    def document(self) -> dict[str, Any]:
        """The tree as a JSON document."""
        body: dict[str, Any] = {"text": self.text}
        if self.amount is not None:
            body |= {"amount": str(self.amount), "currency": self.currency}
        if self.record is not None:
            body["event"] = {
                "position": self.record.position,
                "type": f"ltc.{self.record.event.type}",
                "subject": str(self.record.subject),
                "version": self.record.version,
                "effective_on": self.record.effective_on.isoformat(),
                **({"dated_before": self.dated_before.isoformat()} if self.dated_before else {}),
                "occurred_at": _utc(self.record.occurred_at),
                "recorded_at": _utc(self.record.recorded_at),
                "actor": self.record.actor,
                "command_id": str(self.record.command_id),
            }
        if self.policies:
            body["policies"] = dict(self.policies)
        if self.checks:
            body["checks"] = [
                {"name": check.name, "expected": str(check.expected), "found": str(check.found), "holds": check.holds}
                for check in self.checks
            ]
        if self.children:
            body["children"] = [child.document() for child in self.children]
        return body


class NotThere(LtcError):
    """there is no {kind} {id} as of {as_of}, known at position {known_at}"""

    remedy = "`ltc find {id}` says what it is; ask for a later date or position if it came later"


@dataclass(frozen=True, slots=True)
class Story:
    """The story of one thing, as of a business date, as known at a position of the log. `balance` is its figure: of an invoice
    what is owed, of a payment what is unapplied; see who tells it."""

    number: str
    as_of: date
    position: int
    balance: Decimal
    currency: str
    root: Node
    kind: str = "invoice"

    @property
    def broken(self) -> list[Check]:
        """The sums that do not agree. There should never be one."""
        return [check for node in self.root.walk() for check in node.checks if not check.holds]

    def document(self) -> dict[str, Any]:
        """The story as a JSON document; amounts are strings."""
        return {
            self.kind: self.number,
            "as_of": self.as_of.isoformat(),
            "position": self.position,
            "balance": str(self.balance),
            "currency": self.currency,
            "sums_checked": sum(len(node.checks) for node in self.root.walk()),
            "sums_broken": [check.name for check in self.broken],
            "story": self.root.document(),
        }


def _utc(moment: Any) -> str:
    return utc_text(moment)
