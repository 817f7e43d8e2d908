"""The streams that commands are known to touch before they are decided, so that one query loads them for a whole batch."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ltc_events.aggregates.business_days import fiscal_year
from ltc_events.aggregates.policies import Policies
from ltc_events.schemas.base import Command
from ltc_events.schemas.envelope import Message
from ltc_events.schemas.number_series import first_series_id, imported_number_id, parse_number, series_id
from ltc_events.schemas.registry import COMMANDS

_Model = type[Command]
_FIELDS: dict[_Model, tuple[str, ...]] = {
    model: tuple(name for name in model.touches if "." not in name) for model in COMMANDS.values()
}
_LISTS: dict[_Model, tuple[tuple[str, str], ...]] = {
    model: tuple((of, each) for of, dot, each in (name.partition(".") for name in model.touches) if dot)
    for model in COMMANDS.values()
}
_NUMBERED = frozenset(model for model in COMMANDS.values() if "series" in model.model_fields)
_DERIVING = frozenset(model for model in COMMANDS.values() if model.derived_streams is not Command.derived_streams)
_PLAIN = frozenset(
    model
    for model in COMMANDS.values()
    if not (_FIELDS[model] or _LISTS[model] or model.begins_for_customer or model in _NUMBERED or model in _DERIVING)
)
"""Commands that touch the stream of their subject alone."""
_LISTING = frozenset(model for model in COMMANDS.values() if model.listed_noun is not Command.listed_noun)


def streams_of(message: Message, policies: Policies) -> list[UUID]:
    """The ids of the streams that a command is known to touch before it is decided."""
    ids = [message.subject]
    command: Any = message.command
    model = type(command)
    if command is None or model in _PLAIN:
        return ids
    for name in _FIELDS[model]:
        id = getattr(command, name)
        if id is not None:
            ids.append(id)
    for name, each in _LISTS[model]:
        ids += [getattr(one, each) for one in getattr(command, name)]
    if model.begins_for_customer and message.customer_id is not None:
        ids.append(message.customer_id)
    if model in _NUMBERED:
        ids += _number_streams(command, policies)
    if model in _DERIVING:
        ids += command.derived_streams(message.subject)
    return ids


def _number_streams(command: Any, policies: Policies) -> list[UUID]:
    if command.number is None:
        year = fiscal_year(command.effective_on, policies.company.content)
        return [first_series_id(command.series, year), series_id(command.series, year)]
    parsed = parse_number(command.number)
    series = [] if parsed is None else [first_series_id(*parsed[:2]), series_id(*parsed[:2])]
    return [imported_number_id(command.number), *series]


def listed_nouns(messages: Iterable[Message]) -> dict[str, list[UUID]]:
    """Maps the noun of an aggregate to the customers whose streams of it the commands list."""
    found: dict[str, list[UUID]] = {}
    for message in messages:
        if type(message.command) in _LISTING and message.command is not None and message.customer_id is not None:
            noun = message.command.listed_noun()
            if noun is not None:
                found.setdefault(noun, []).append(message.customer_id)
    return found
