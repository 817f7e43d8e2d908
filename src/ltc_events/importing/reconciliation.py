"""The result of an import: rows, commands, refusals, and each control total of the source compared with the ledger's."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

REFUSED_ROWS_KEPT_MAX = 10_000
"""How many refused rows are listed in memory; the CSV file has them all."""


class RefusedRow(NamedTuple):
    """A refused row. `command` is empty when the row itself is unreadable.

    `nearest`: of a value that is none of a closed list of words, the most similar of these.
    """

    file: str
    line: int
    command: str
    code: str
    field: str
    value: str
    reason: str
    fix: str
    nearest: str = ""


@dataclass
class RefusalGroup:
    """Refusals with one cause: the same value in the same field, for the same reason. `first` is the first occurrence."""

    code: str
    command: str
    field: str
    value: str
    first: str
    fix: str
    nearest: str
    count: int = 0


class Vanished(NamedTuple):
    """A thing that no row names: its noun and id, what it is called, and since which position the ledger has it."""

    noun: str
    id: str
    name: str
    position: int


@dataclass
class FileCount:
    """One file: how many rows it has, how many had a part in the import, and why others had none.

    `unmatched`: rows that a join of a table or step found nothing for, which left them out there; they may have a part elsewhere.
    """

    name: str
    path: str
    rows: int = 0
    used: int = 0
    refused: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unmatched: dict[str, int] = field(default_factory=dict)


@dataclass
class CommandCount:
    """One type of command. `duplicate`: accepted by an earlier run, or said by an earlier row already.

    `not_sent`: an earlier command of its row was refused. `unchanged`: the ledger holds what the row says; nothing was sent.
    """

    type: str
    sent: int = 0
    accepted: int = 0
    duplicate: int = 0
    refused: int = 0
    not_sent: int = 0
    unchanged: int = 0


@dataclass
class ControlTotal:
    """A total of the source beside the ledger's. `unreadable` rows and `other_currency` events are in neither.

    `refused` and `duplicate` rows of the file (in each step that reads it): something of them was refused, or had been there.
    """

    name: str
    currency: str | None
    note: str | None
    source: Decimal = Decimal(0)
    source_rows: int = 0
    unreadable: int = 0
    ledger: Decimal = Decimal(0)
    ledger_events: int = 0
    other_currency: int = 0
    refused: int = 0
    duplicate: int = 0

    @property
    def difference(self) -> Decimal:
        """The ledger's total less the source's; zero: they agree."""
        return self.ledger - self.source


@dataclass
class Reconciliation:
    """The result of an import. Of a rehearsal (`dry_run`) nothing is stored; the ledger's totals are what they would be."""

    mapping: str
    dry_run: bool
    run: str = ""
    """The id of the run, which all its events have as correlation; of a rehearsal, none."""
    files: list[FileCount] = field(default_factory=list)
    commands: dict[str, CommandCount] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    controls: list[ControlTotal] = field(default_factory=list)
    refused_rows: list[RefusedRow] = field(default_factory=list)
    """The first of the refused, up to REFUSED_ROWS_KEPT_MAX."""
    vanished: list[Vanished] = field(default_factory=list)
    """What earlier runs brought and no row names any more, where steps look for it: the first, up to REFUSED_ROWS_KEPT_MAX."""
    vanished_counts: Counter[str] = field(default_factory=Counter)
    """How many vanished, by noun."""
    groups: dict[tuple[str, str, str, str], RefusalGroup] = field(default_factory=dict)
    """The refused by cause; causes beyond REFUSED_ROWS_KEPT_MAX are in none."""

    @property
    def refused(self) -> int:
        """The number of refused rows and commands."""
        return self.refusals.total()

    @property
    def balanced(self) -> bool:
        """Whether every control total agrees."""
        return all(control.difference == 0 for control in self.controls)

    @property
    def duplicates(self) -> int:
        """How many commands had been there: in an earlier run, or in an earlier row."""
        return sum(count.duplicate for count in self.commands.values())

    @property
    def complete(self) -> bool:
        """Whether the whole source was read and nothing refused."""
        return not self.refused and not any(control.unreadable or control.other_currency for control in self.controls)

    @property
    def all_new(self) -> bool:
        """Whether the totals agree, nothing is missing and nothing is a duplicate: the condition of `--strict`."""
        return self.balanced and self.complete and not self.duplicates

    @property
    def causes(self) -> list[RefusalGroup]:
        """The refused by cause, the most frequent first."""
        return sorted(self.groups.values(), key=lambda group: -group.count)

    def vanish(self, noun: str, found: list[Vanished]) -> None:
        """Take into account what vanished of a noun."""
        self.vanished_counts[noun] += len(found)
        self.vanished += found[: max(0, REFUSED_ROWS_KEPT_MAX - len(self.vanished))]

    def refuse(self, row: RefusedRow) -> None:
        """Add a refusal."""
        self.refusals[row.code] += 1
        key = row.code, row.command, row.field, row.value
        if key not in self.groups and len(self.groups) < REFUSED_ROWS_KEPT_MAX:
            self.groups[key] = RefusalGroup(*key, f"{row.file}:{row.line}", row.fix, row.nearest)
        if key in self.groups:
            self.groups[key].count += 1
        if len(self.refused_rows) < REFUSED_ROWS_KEPT_MAX:
            self.refused_rows.append(row)

    def document(self) -> dict[str, Any]:
        """The result as one JSON document; amounts as text."""
        return {
            "mapping": self.mapping,
            "dry_run": self.dry_run,
            "run": self.run,
            "files": [{**vars(file), "skipped": dict(file.skipped)} for file in self.files],
            "commands": [vars(count) for count in self.commands.values()],
            "refused": self.refused,
            "refusals": dict(self.refusals.most_common()),
            "causes": [vars(group) for group in self.causes],
            "vanished": {"counts": dict(self.vanished_counts), "first": [one._asdict() for one in self.vanished]},
            "duplicates": self.duplicates,
            "balanced": self.balanced,
            "complete": self.complete,
            "controls": [_control(control) for control in self.controls],
            "refused_rows": [row._asdict() for row in self.refused_rows],
        }


def _control(control: ControlTotal) -> dict[str, Any]:
    amounts = {"source": control.source, "ledger": control.ledger, "difference": control.difference}
    return {**vars(control), **{name: f"{amount:f}" for name, amount in amounts.items()}}
