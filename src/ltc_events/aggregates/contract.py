"""Contract: signed with explicit terms, renewed, terminated (R-56, R-62). Last days are inclusive."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import assert_never

from ltc_events.aggregates.base import Aggregate, AlreadyExists, BrokenStream, DoesNotExist, require_order
from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.base import Event
from ltc_events.schemas.contract import (
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    RenewContract,
    SignContract,
    TerminateContract,
)

ContractCommand = SignContract | RenewContract | TerminateContract
ContractEvent = ContractSigned | ContractRenewed | ContractTerminated


@dataclass(frozen=True, slots=True)
class Contract:
    """What later commands of a contract are held against."""

    starts_on: date
    ends_on: date
    value: Decimal
    currency: str
    terminated: bool = False


class AlreadyTerminated(Refused):
    """the contract was terminated as of {ends_on}"""

    remedy = "sign a new contract, with a subject of its own"


class RenewalNotLater(Refused):
    """the contract already runs until {was}, so {ends_on} does not prolong it"""

    field = "ends_on"
    remedy = "give an ends_on after {was}"


class TerminationNotWithinTerm(Refused):
    """the contract runs from {starts_on} to {was}; it cannot be ended on {ends_on}"""

    field = "ends_on"
    remedy = "give an ends_on from {starts_on} to {was}"


def decide(state: Contract | None, command: ContractCommand, _policies: Policies) -> list[Event]:
    """What a contract's command leads to."""
    if isinstance(command, SignContract):
        if state is not None:
            raise AlreadyExists(noun="contract")
        return [_sign(command)]
    if state is None:
        raise DoesNotExist(noun="contract", first=SignContract.type)
    if state.terminated:
        raise AlreadyTerminated(ends_on=state.ends_on)
    match command:
        case RenewContract():
            if command.ends_on <= state.ends_on:
                raise RenewalNotLater(was=state.ends_on, ends_on=command.ends_on)
            value = state.value if command.value is None else command.value
            return [ContractRenewed(was=state.ends_on, ends_on=command.ends_on, value=value, currency=state.currency)]
        case TerminateContract():
            if not state.starts_on <= command.ends_on <= state.ends_on:
                raise TerminationNotWithinTerm(starts_on=state.starts_on, was=state.ends_on, ends_on=command.ends_on)
            return [ContractTerminated(ends_on=command.ends_on, reason=command.reason)]
        case _:
            assert_never(command)


def _sign(command: SignContract) -> ContractSigned:
    require_order(command.starts_on, command.ends_on)
    return ContractSigned(
        title=command.title,
        starts_on=command.starts_on,
        ends_on=command.ends_on,
        value=command.value,
        currency=command.currency,
        notice_days=command.notice_days,
        auto_renew=command.auto_renew,
        terms=command.terms,
        signed_by=command.signed_by,
        opportunity_id=command.opportunity_id,
        quote_id=command.quote_id,
        order_id=command.order_id,
    )


def evolve(state: Contract | None, event: ContractEvent) -> Contract:
    """A contract after an event."""
    if isinstance(event, ContractSigned):
        return Contract(event.starts_on, event.ends_on, event.value, event.currency)
    if state is None:
        raise BrokenStream(noun="contract", event=event.type)
    match event:
        case ContractRenewed():
            return replace(state, ends_on=event.ends_on, value=event.value)
        case ContractTerminated():
            return replace(state, ends_on=event.ends_on, terminated=True)
        case _:
            assert_never(event)


CONTRACT = Aggregate("contract", decide, evolve)
