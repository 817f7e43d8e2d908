"""The operations that events mean, and the net effect of many operations per key. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeAlias

from ltc_events.kernel.money import EXACT
from ltc_events.projections.declaration.projection import Add, Delete, Operation, Projection, Put
from ltc_events.schemas.record import Record

Change: TypeAlias = tuple[bool, dict[str, Any] | None, dict[str, Any]]
"""What becomes of one row: is it removed first, the columns set afterwards (None: it stays away), the columns added to."""
Net: TypeAlias = dict[tuple[Any, ...], Change]
"""The net effect of a batch, by key."""

_NOTHING: dict[str, Any] = {}
_GONE: Change = (True, None, _NOTHING)


def operations(projection: Projection, records: Iterable[Record]) -> list[Operation]:
    """What these events mean to the projection, in order; events without a handler mean nothing."""
    handlers = type(projection).handlers
    found: list[Operation] = []
    extend = found.extend
    for record in records:
        event = record.event
        handler = handlers.get(type(event))
        if handler is not None:
            extend(handler(projection, event, record))
    return found


def fold(batch: Iterable[Operation], net: Net | None = None) -> Net:
    """The net effect per key: applying it once is the same as applying the operations one by one.

    `net` is what the operations before this batch came to; it is changed and returned.
    """
    net = {} if net is None else net
    for operation in batch:
        key = operation.key
        if isinstance(operation, Delete):
            net[key] = _GONE
            continue
        before = net.get(key)
        if isinstance(operation, Put):
            net[key] = (False, operation.values, _NOTHING) if before is None else _put(before, operation)
        else:
            net[key] = (False, _NOTHING, operation.values) if before is None else _add(before, operation)
    return net


def _put(before: Change, operation: Put) -> Change:
    removed, sets, adds = before
    values = operation.values
    if adds:
        adds = {name: number for name, number in adds.items() if name not in values}
    return removed, {**sets, **values} if sets else values, adds


def _add(before: Change, operation: Add) -> Change:
    removed, sets, adds = before
    sets = dict(sets) if sets else _NOTHING
    adds = dict(adds)
    for name, number in operation.values.items():
        if name in sets:
            sets[name] = _plus(sets[name], number)
        elif name in adds:
            adds[name] = _plus(adds[name], number)
        else:
            adds[name] = number
    return removed, sets, adds


def _plus(left: Any, right: Any) -> Any:
    if left is None:  # an unset amount counts as zero, as it does in the database
        return right
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        # Sums must not depend on where a batch ends: a digit lost is an error.
        return EXACT.add(left, right)
    return left + right
