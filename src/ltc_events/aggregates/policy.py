"""Policy: the company puts the next version of a rule in force (R-5, R-75)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches

from ltc_events.aggregates.access import NAMES, AccessRules, covers, takes_approver
from ltc_events.aggregates.base import Aggregate, require_not_before
from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.person_names import person_key
from ltc_events.kernel.time_zones import stated_zone
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.customer import Profile
from ltc_events.schemas.lead import CaptureLead, LeadDetail, Priority
from ltc_events.schemas.policy import (
    Access,
    BusinessDates,
    Company,
    PaymentTerms,
    PolicyPublished,
    PublishPolicy,
    RequiredFields,
    ResponseLevels,
    Stage,
    Stages,
    Term,
)

LEAD_FIELDS = (
    *(name for name in CaptureLead.model_fields if name not in Command.model_fields),
    *(f"detail.{name}" for name in LeadDetail.model_fields),
)
"""The fields of a lead that policy `required_fields` may name."""
CUSTOMER_FIELDS = tuple(Profile.model_fields)
"""The fields of a customer's profile that policy `required_fields` may name."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How many versions a policy has had, and when the last was published."""

    version: int
    published_on: date


class WrongPolicyStream(Refused):
    """a {kind} policy lives in stream {expected}"""

    field = "subject"
    remedy = "set subject and partitionkey to {expected}"


class TermsNotHundredPercent(Refused):
    """the shares of {terms} add up to {total} percent"""

    field = "content.terms"
    remedy = "make the percents of {terms} add up to 100"


class UnknownRequiredField(Refused):
    """{name} is no field of a {noun}"""

    remedy = "use fields of a {noun}, alternatives joined with |: {known}"


class PriorityWithoutLevel(Refused):
    """no minutes until the first response are set for {missing}"""

    field = "content.minutes"
    remedy = "give minutes, 0 or more, for each of {known}"


class StageNotUsable(Refused):
    """{stage} cannot be an open stage: {why}"""

    field = "content.stages"
    remedy = "give each open stage a name of its own; won and lost are always there and are not listed"


class UnknownTimeZone(Refused):
    """{name} is no time zone of the IANA database"""

    field = "content.time_zone"
    remedy = "give the name of a time zone, for example UTC or Europe/Berlin"


class WindowNotBegun(Refused):
    """business dates would begin on {earliest}, after {effective_on}, the date of this policy"""

    field = "content.earliest"
    remedy = "give an earliest of {effective_on} or before, so that commands of today can be recorded"


class UnknownCommands(Refused):
    """no command is called {pattern}"""

    remedy = "name a command without its version, all of a noun, or all: {known}, …, order.*, *"


class NoApproverThere(Refused):
    """{pattern} names no second person who approves it"""

    remedy = (
        "ask for four eyes where a command does: {known}; who decides about a discount is compared with who asked for it anyway"
    )


class PeopleAlike(Refused):
    """{name} and {other} cannot be told apart by a reader"""

    remedy = "list each person once under people, by the name that actors and approvers have"


class LockedOut(Refused):
    """by these rules nobody could publish policy access again"""

    field = "content.rules"
    remedy = (
        "give policy.publish to a role of one of the people, and where it takes four eyes, an approver to somebody who sends it"
    )


def decide(state: Policy | None, command: PublishPolicy, _policies: Policies) -> list[Event]:
    """Put the next version in force, where its content makes sense on its own. R-75."""
    match command.content:
        case PaymentTerms(terms=named_terms):
            _check_terms(named_terms)
        case RequiredFields(lead=lead, customer=customer):
            _check_names("lead", lead, LEAD_FIELDS)
            _check_names("customer", customer, CUSTOMER_FIELDS)
        case ResponseLevels(minutes=minutes):
            missing = [priority.value for priority in Priority if minutes.get(priority, -1) < 0]
            if missing:
                raise PriorityWithoutLevel(missing=", ".join(missing), known=", ".join(Priority))
        case Stages(stages=stages):
            _check_stages(stages)
        case BusinessDates(earliest=earliest):
            if earliest > command.effective_on:
                raise WindowNotBegun(earliest=earliest, effective_on=command.effective_on)
        case Company(time_zone=name):
            if stated_zone(name) is None:
                raise UnknownTimeZone(name=name)
        case Access() as access:
            _check_access(access)
    version = 0 if state is None else state.version
    if state is not None:
        require_not_before(command.effective_on, state.published_on, f"version {version} of policy {command.content.kind}")
    return [PolicyPublished(version=version + 1, content=command.content, approver=command.approver)]


def _check_terms(named_terms: Mapping[str, tuple[Term, ...]]) -> None:
    for code, terms in named_terms.items():
        total = sum((term.percent for term in terms), Decimal(0))
        if total != 100:
            raise TermsNotHundredPercent(terms=f"payment terms {code}", total=total)


def _check_names(noun: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    for index, entry in enumerate(names):
        for name in entry.split("|"):
            if name not in known:
                raise UnknownRequiredField(name=name, noun=noun, known=", ".join(known), at=f"content.{noun}.{index}")


def _check_stages(stages: tuple[Stage, ...]) -> None:
    seen = set()
    for stage in stages:
        if stage.name in ("won", "lost"):
            raise StageNotUsable(stage=stage.name, why="it is how a deal is closed")
        if stage.name in seen:
            raise StageNotUsable(stage=stage.name, why="it is listed twice")
        seen.add(stage.name)


def _check_access(access: Access) -> None:
    ruled = [(f"content.rules.{number}.commands", one.commands) for number, one in enumerate(access.rules)]
    four_eyes = [(f"content.four_eyes.{number}.commands", one.commands) for number, one in enumerate(access.four_eyes)]
    for at, patterns in (*ruled, *four_eyes):
        for pattern in patterns:
            if not any(covers(pattern, name) for name in NAMES):
                near = get_close_matches(pattern, NAMES, n=2, cutoff=0.6) or ["invoice.issue"]
                raise UnknownCommands(pattern=pattern, known=", ".join(near), at=at)
    for at, patterns in four_eyes:
        for pattern in patterns:
            if not takes_approver(pattern):
                known = ", ".join(sorted(name for name in NAMES if takes_approver(name)))
                raise NoApproverThere(pattern=pattern, known=known, at=at)
    known_people: dict[str, str] = {}
    for name in access.people:
        other = known_people.setdefault(person_key(name), name)
        if other != name or (not person_key(name) and len(access.people) > 1):
            raise PeopleAlike(name=name, other=other, at=f"content.people.{name}")
    if access.mode == "enforced" and not AccessRules(access).is_administrable():
        raise LockedOut


def evolve(_state: Policy | None, event: PolicyPublished, effective_on: date) -> Policy:
    """Count the versions."""
    return Policy(event.version, effective_on)


POLICY = Aggregate("policy", decide, evolve)
