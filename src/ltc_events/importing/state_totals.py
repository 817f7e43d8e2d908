"""Control totals over the ledger's state of the things that rows name, whichever run imported them."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple, get_type_hints
from uuid import UUID

from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.batch import fold
from ltc_events.importing.ledger import EXACT, ONE, BadControl, EventTotal, add_event, values_at
from ltc_events.importing.mapping import ControlSection, nearest
from ltc_events.importing.reconciliation import ControlTotal
from ltc_events.store.ledger_store import LedgerStore

_STREAMS = 500


class StateTotal(NamedTuple):
    """The ledger's side of a control that adds up what things are by now: `path` is a field of the state, None to count them."""

    noun: str
    path: tuple[str, ...] | None
    conditions: tuple[tuple[str, str], ...]
    currency: str | None


def state_total(control: ControlSection, currency: str | None) -> StateTotal:
    """The ledger's side of a control of states. Raises BadControl."""
    noun = str(control.state)
    if noun not in AGGREGATES:
        raise BadControl(f"state: {noun} is nothing that the ledger keeps", nearest(noun, sorted(AGGREGATES)))
    if (control.sum is None) != (control.field is None):
        raise BadControl("sum and field go together", "give both, or neither to count rows and things")
    state = get_type_hints(AGGREGATES[noun].evolve)["return"]
    known = [one.name for one in fields(state)] if is_dataclass(state) else []
    for path in (*([control.field] if control.field else []), *control.where):
        if path.partition(".")[0] not in known:
            raise BadControl(f"what the ledger keeps of a {noun} has no {path}", nearest(path, known))
    return StateTotal(noun, tuple(control.field.split(".")) if control.field else None, tuple(control.where.items()), currency)


def add_states(store: LedgerStore, wanted: EventTotal | StateTotal, total: ControlTotal, ids: Iterable[UUID]) -> None:
    """Add to a total what the ledger holds of these things."""
    left = iter(ids)
    while part := list(islice(left, _STREAMS)):
        streams = store.load(part)
        for id in part:
            records = streams.get(id, ())
            if isinstance(wanted, EventTotal):
                for record in records:
                    add_event(wanted, total, record.event)
            elif (entry := fold(records)).noun == wanted.noun:
                _add_state(wanted, total, entry.state)


def _add_state(wanted: StateTotal, total: ControlTotal, state: Any) -> None:
    if any(not _is(values_at(state, path.split(".")), value) for path, value in wanted.conditions):
        return
    if wanted.currency is not None and getattr(state, "currency", wanted.currency) != wanted.currency:
        total.other_currency += 1
        return
    total.ledger_events += 1
    amounts: Iterable[Any] = (ONE,) if wanted.path is None else values_at(state, wanted.path)
    for amount in amounts:
        if amount is not None:
            total.ledger = EXACT.add(total.ledger, Decimal(amount))


def _is(found: Iterator[Any], wanted: str) -> bool:
    return all(str(value) == wanted for value in found)
