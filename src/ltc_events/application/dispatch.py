"""Dispatches a command to a rule, where it crosses aggregates, or else to the aggregate of its noun."""

from ltc_events.aggregates.currency_in_use import require_in_use
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.rules.registry import RULES
from ltc_events.application.unit_of_work import UnitOfWork
from ltc_events.schemas.base import Command
from ltc_events.schemas.policy import PublishPolicy
from ltc_events.schemas.registry import COMMANDS, noun_of

_WITH_CURRENCY = {model for model in COMMANDS.values() if "currency" in model.model_fields} | {PublishPolicy}
_AGGREGATES_OF = {model: AGGREGATES[noun_of(name)] for name, model in COMMANDS.items()}


def dispatch(command: Command, work: UnitOfWork) -> None:
    """Decide a command and emit its events. Raises Refused."""
    model = type(command)
    if model in _WITH_CURRENCY:
        require_in_use(command, work.effective_on)
    rule = RULES.get(model)
    if rule is not None:
        rule(command, work)
        return
    aggregate = _AGGREGATES_OF[model]
    state = work.find(aggregate, work.subject)
    work.emit(aggregate, work.subject, *aggregate.decide(state, command, work.policies))
