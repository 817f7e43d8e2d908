"""Contract: signed with explicit terms, renewed, terminated (R-56, R-62). Last days are inclusive."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import assert_never

from ltc_events.aggregates.base import Aggregate, AlreadyExists, BrokenStream, DoesNotExist, require_not_before, require_order
from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import replace
from ltc_events.schemas.base import Event
from ltc_events.schemas.contract import (
    ContractRenewalDue,
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    FlagRenewal,
    RenewContract,
    SignContract,
    TerminateContract,
)

ContractCommand = SignContract | FlagRenewal | RenewContract | TerminateContract
ContractEvent = ContractSigned | ContractRenewalDue | ContractRenewed | ContractTerminated

RENEWAL_AHEAD_DAYS = 30
"""So many days before notice must be given, a renewal is due: people need time to decide."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The state of a contract."""

    starts_on: date
    ends_on: date
    value: Decimal
    currency: str
    notice_days: int
    auto_renew: bool
    agreed_on: date
    """When its present term was agreed: signed, or prolonged."""
    flagged: bool = False
    """Whether the end of the present term was said to be near."""
    terminated: bool = False


class AlreadyTerminated(Refused):
    """the contract was terminated as of {ends_on}"""

    remedy = "sign a new contract, with a subject of its own"


class RenewalNotDue(Refused):
    """notice can be given until {notice_on}, which is more than {ahead} days after {effective_on}"""

    field = "effective_on"
    remedy = "send contract.flag_renewal.v1 on {due_on} or later"


class RenewalFlagged(Refused):
    """that the contract ends on {ends_on} was said before"""

    remedy = "send contract.renew.v1 or contract.terminate.v1 when it is decided how it goes on"


class RenewalNotLater(Refused):
    """the contract already runs until {was}, so {ends_on} does not prolong it"""

    field = "ends_on"
    remedy = "give an ends_on after {was}"


class TerminationNotWithinTerm(Refused):
    """the contract runs from {starts_on} to {was}; it cannot be ended on {ends_on}"""

    field = "ends_on"
    remedy = "give an ends_on from {starts_on} to {was}"


def decide(state: Contract | None, command: ContractCommand, _policies: Policies) -> list[Event]:
    """Decide a command on a contract. Raises Refused."""
    if isinstance(command, SignContract):
        if state is not None:
            raise AlreadyExists(noun="contract")
        return [_sign(command)]
    if state is None:
        raise DoesNotExist(noun="contract", first=SignContract.type)
    if state.terminated:
        raise AlreadyTerminated(ends_on=state.ends_on)
    require_not_before(command.effective_on, state.agreed_on, "the agreement on the contract's present term")
    match command:
        case FlagRenewal():
            return [_flag(state, command)]
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


def _flag(state: Contract, command: FlagRenewal) -> ContractRenewalDue:
    if state.flagged:
        raise RenewalFlagged(ends_on=state.ends_on)
    notice_on = state.ends_on - timedelta(days=state.notice_days)
    due_on = notice_on - timedelta(days=RENEWAL_AHEAD_DAYS)
    if command.effective_on < due_on:
        raise RenewalNotDue(notice_on=notice_on, ahead=RENEWAL_AHEAD_DAYS, effective_on=command.effective_on, due_on=due_on)
    return ContractRenewalDue(ends_on=state.ends_on, notice_on=notice_on, auto_renew=state.auto_renew)


def evolve(state: Contract | None, event: ContractEvent, effective_on: date) -> Contract:
    """A contract after an event."""
    if isinstance(event, ContractSigned):
        terms = (event.value, event.currency, event.notice_days, event.auto_renew)
        return Contract(event.starts_on, event.ends_on, *terms, agreed_on=effective_on)
    if state is None:
        raise BrokenStream(noun="contract", event=event.type)
    match event:
        case ContractRenewalDue():
            return replace(state, flagged=True)
        case ContractRenewed():
            return replace(state, ends_on=event.ends_on, value=event.value, flagged=False, agreed_on=effective_on)
        case ContractTerminated():
            return replace(state, ends_on=event.ends_on, terminated=True)
        case _:
            assert_never(event)


CONTRACT = Aggregate("contract", decide, evolve)
