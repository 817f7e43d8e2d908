"""Control totals over the events of an import's commands, read back from the store."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation
from itertools import groupby
from typing import Any, NamedTuple

from pydantic import BaseModel

from ltc_events.application.pipeline import Answer
from ltc_events.importing.mapping import ControlSection, nearest
from ltc_events.importing.reconciliation import ControlTotal
from ltc_events.schemas.base import EVENTS, Event
from ltc_events.schemas.outcome import Outcome
from ltc_events.store.ledger_store import LedgerStore

_PAGE_POSITIONS = 1 << 15
ONE = Decimal(1)
EXACT = Context(prec=60, traps=[InvalidOperation, Inexact])
"""Arithmetic that raises before it would round."""


class BadControl(ValueError):
    """A control that matches no event."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix


class EventTotal(NamedTuple):
    """The ledger's side of a control: the events that count, and their amounts."""

    types: frozenset[str]
    amounts: Callable[[Any], Iterable[Decimal]]
    conditions: tuple[tuple[str, str], ...]
    currency: str | None


def event_total(control: ControlSection, currency: str | None) -> EventTotal:
    """The ledger's side of a control. Raises BadControl."""
    named = str(control.event)
    types = frozenset(type for type in EVENTS if named in (type, type.rpartition(".")[0]))
    if not types:
        short = sorted({type.rpartition(".")[0] for type in EVENTS})
        raise BadControl(f"event: {named} is no event", nearest(named, short))
    if (control.sum is None) != (control.field is None):
        raise BadControl("sum and field go together", "give both, or neither to count rows and events")
    for path in (*([control.field] if control.field else []), *control.where):
        for type in types:
            _check_path(EVENTS[type], path)
    amounts = _ones if control.field is None else _reader(control.field)
    return EventTotal(types, amounts, tuple(control.where.items()), currency)


class LedgerTotals:
    """Sums the events of commands, each event once however often its command was answered."""

    def __init__(self, store: LedgerStore, totals: Sequence[tuple[EventTotal, ControlTotal]]) -> None:
        self._store = store
        self._totals = totals
        self._types = sorted(set().union(*(total.types for total, _ in totals)))
        self._seen: dict[int, bytearray] = {}

    def add_answers(self, answers: Iterable[Answer]) -> None:
        """Add the stored events of these commands."""
        if not self._types:
            return
        for first, last in _ranges(sorted(self._fresh(answers))):
            for record in self._store.read(first - 1, last - first + 1, types=self._types, upto=last):
                for total, control in self._totals:
                    add_event(total, control, record.event)

    def _fresh(self, answers: Iterable[Answer]) -> Iterator[int]:
        """The positions of events not added yet."""
        for answer in answers:
            if not isinstance(answer, Outcome) or not answer.first_position:
                continue
            for position in range(answer.first_position, answer.last_position + 1):
                page, place = divmod(position, _PAGE_POSITIONS)
                bits = self._seen.setdefault(page, bytearray(_PAGE_POSITIONS // 8))
                byte, mask = place // 8, 1 << place % 8
                if not bits[byte] & mask:
                    bits[byte] |= mask
                    yield position


def add_event(total: EventTotal, control: ControlTotal, event: Event) -> None:
    """Add one event to a total, if it counts."""
    if event.type not in total.types:
        return
    if any(str(value) != wanted for path, wanted in total.conditions for value in values_at(event, path.split("."))):
        return
    if total.currency is not None and getattr(event, "currency", total.currency) != total.currency:
        control.other_currency += 1
        return
    control.ledger_events += 1
    for amount in total.amounts(event):
        control.ledger = EXACT.add(control.ledger, amount)


def _ranges(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of neighbouring positions, as first and last."""
    for _, run in groupby(enumerate(positions), lambda numbered: numbered[1] - numbered[0]):
        places = [position for _, position in run]
        yield places[0], places[-1]


def _ones(_: Any) -> Iterable[Decimal]:
    return (ONE,)


def _reader(path: str) -> Callable[[Any], Iterable[Decimal]]:
    parts = path.split(".")
    return lambda event: (value for value in values_at(event, parts) if value is not None)


def values_at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """The values at a path; of a list, those of all its items."""
    if isinstance(value, tuple):
        for one in value:
            yield from values_at(one, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        yield from values_at(value.get(path[0]), path[1:])
    elif value is not None:
        yield from values_at(getattr(value, path[0]), path[1:])


def _check_path(model: type[BaseModel], path: str) -> None:
    name, _, rest = path.partition(".")
    field = model.model_fields.get(name)
    if field is None:
        raise BadControl(f"{model.__name__} has no field {name}", nearest(name, list(model.model_fields)))
    for inner in _models(field.annotation) if rest else ():
        _check_path(inner, rest)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in getattr(annotation, "__args__", ()) for model in _models(argument)]
