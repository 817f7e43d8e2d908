"""Who may send what: policy `access`, prepared so that a command costs one look-up (R-33)."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ltc_events.kernel.person_names import person_key, same_person
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.policy import Access, AccessRule, PolicyKind, PublishPolicy, Sender
from ltc_events.schemas.quote import ApproveDiscount, RejectDiscount
from ltc_events.schemas.registry import COMMANDS

ANYBODY = "*"
_KNOWN_MAX = 10_000
_PUBLISH = PublishPolicy.type.rpartition(".")[0]
PUBLISH_ACCESS = f"{_PUBLISH}.{PolicyKind.ACCESS.value}"
"""The name of the command that changes the policy itself."""
_NAMES = {name: name.rpartition(".")[0] for name in COMMANDS}
NAMES = frozenset((*_NAMES.values(), *(f"{_PUBLISH}.{kind.value}" for kind in PolicyKind)))
"""All names that a pattern may cover."""
DECISIONS = frozenset(_NAMES[model.type] for model in (ApproveDiscount, RejectDiscount))
"""Commands whose approver is who sends them. That it is another than who asked they compare themselves (R-51)."""
_WITH_APPROVER = frozenset(_NAMES[name] for name, model in COMMANDS.items() if "approver" in model.model_fields) - DECISIONS


def name_of(command: Command) -> str:
    """The name that rules give a command: its type without the version; of a policy, with its kind."""
    if type(command) is PublishPolicy:
        return f"{_PUBLISH}.{command.content.kind}"
    return _NAMES[command.type]


def covers(pattern: str, name: str) -> bool:
    """Whether a pattern names a command: `*`, `invoice.*`, `invoice.issue`, and `policy.publish` for all kinds of policies."""
    if pattern == "*" or pattern == name:
        return True
    return name.startswith(pattern[:-1] if pattern.endswith(".*") else f"{pattern}.")


def takes_approver(pattern: str) -> bool:
    """Whether all commands that a pattern covers name a second person as `approver`."""
    return all(any(covers(one, name) for one in _WITH_APPROVER) for name in NAMES if covers(pattern, name))


class Denied(NamedTuple):
    """Why a command is not allowed, the field that is to blame (empty: none), and what would allow it."""

    why: str
    at: str
    fix: str


class _Side(NamedTuple):
    """The rules that give a command to one of those who must have it."""

    who: str
    rules: Sequence[AccessRule]


class _Grant(NamedTuple):
    """What the rules say of a principal, an actor and a command. `approvers`: persons of whom one must approve; None: none."""

    sides: Sequence[_Side]
    approvers: frozenset[str] | None
    is_free: bool
    """Whether it depends neither on the customer nor on amounts nor on an approver."""


class AccessRules:
    """A version of policy `access` that is enforced. What it once found out it remembers."""

    def __init__(self, content: Access) -> None:
        self._content = content
        self._persons = {person_key(name): name for name in content.people}
        self._known: dict[tuple[str, str, str], _Grant | Denied] = {}

    def denied(self, principal: str, actor: str, name: str, customer: UUID | None, approver: str | None) -> Denied | None:
        """Why a principal may not send the command of this name for an actor; None: he may."""
        grant = self._grant(principal, actor, name)
        if isinstance(grant, Denied):
            return grant
        if grant.is_free:
            return None
        for who, rules in grant.sides:
            if not any(_is_for(rule, customer) for rule in rules):
                return Denied(f"no rule gives {name} to {who} for this customer", "partitionkey", _customer_fix(who, name))
        if name in DECISIONS and approver is not None:
            return self._undecided(principal, actor, approver)
        if grant.approvers is None or (approver in grant.approvers and self._may_approve(principal, actor, approver)):
            return None
        return self._unapproved(principal, actor, approver, grant.approvers)

    def beyond(self, principal: str, actor: str, name: str, customer: UUID | None, events: Iterable[Event]) -> Denied | None:
        """Why a command that is not `denied` may not have these events: their amounts; None: it may."""
        grant = self._grant(principal, actor, name)
        if isinstance(grant, Denied) or grant.is_free:
            return None
        amounts = list(_amounts(events))
        for who, rules in grant.sides:
            if not any(_is_for(rule, customer) and _is_within(rule, amounts) for rule in rules):
                told = ", ".join(f"{amount:f} {currency}" for currency, amount in amounts)
                fix = f"let somebody send it who may, or publish a limit in policy access that {who} reaches"
                return Denied(f"{told} is beyond the limits of {who} for {name}", "", fix)
        return None

    def rules_for(self, principal: str, actor: str, name: str) -> list[AccessRule]:
        """The rules that give the command to the principal, or with it to the actor."""
        grant = self._grant(principal, actor, name)
        return [] if isinstance(grant, Denied) else [rule for side in grant.sides for rule in side.rules]

    def is_administrable(self) -> bool:
        """Whether anybody may publish the next version of the policy."""
        users = (f"user:{person}" for person in self._content.people)
        return any(self._administers(principal, self._actors_of(principal)) for principal in {*self._content.principals, *users})

    def keeps(self, principal: str, actor: str) -> bool:
        """Whether who publishes this version may publish the next: a user under any name, any other principal for this actor."""
        return self._administers(principal, self._actors_of(principal) if principal.startswith("user:") else {actor})

    def _actors_of(self, principal: str) -> set[str]:
        spoken = self._sender(principal).speaks_for
        return {principal.partition(":")[2], *(self._content.people if ANYBODY in spoken else spoken)}

    def _administers(self, principal: str, actors: Iterable[str]) -> bool:
        for actor in actors:
            grant = self._grant(principal, actor, PUBLISH_ACCESS)
            if isinstance(grant, Denied) or not all(any(_is_for(rule, None) for rule in side.rules) for side in grant.sides):
                continue
            if grant.approvers is None or any(self._may_approve(principal, actor, one) for one in grant.approvers):
                return True
        return False

    def _grant(self, principal: str, actor: str, name: str) -> _Grant | Denied:
        key = (principal, actor, name)
        grant = self._known.get(key)
        if grant is None:
            if len(self._known) >= _KNOWN_MAX:  # actors are claims: there may be any number of them
                self._known.clear()
            grant = self._known[key] = self._find(principal, actor, name)
        return grant

    def _find(self, principal: str, actor: str, name: str) -> _Grant | Denied:
        people = self._content.people
        if not self._speaks_for(principal, actor):
            fix = (
                f"let {principal} send it with an actor whom it may speak for, or add {actor} to its speaks_for in policy access"
            )
            return Denied(f"{principal} may not speak for {actor}", "actor", fix)
        sides = [_Side(principal, self._rules(self._sender(principal).roles, name))]
        # Rights are given to a name to the letter; a person's limits hold for whatever looks like the person's name.
        person = self._persons.get(person_key(actor))
        if person is not None and f"user:{person}" != principal:
            sides.append(_Side(person, self._rules(people[person], name)))
        for who, rules in sides:
            if not rules:
                fix = f"publish a rule of policy access that gives {name} to a role of {who}, or give {who} a role that has it"
                return Denied(f"no rule gives {name} to {who}", "", fix)
        eyes = () if name in DECISIONS else self._content.four_eyes
        asked = [one for one in eyes if any(covers(pattern, name) for pattern in one.commands)]
        approvers = None
        if asked:
            approvers = frozenset(
                person for person, roles in people.items() if all(not set(one.roles).isdisjoint(roles) for one in asked)
            )
        is_wide = all(any(not (rule.customers or rule.limits) for rule in side.rules) for side in sides)
        return _Grant(sides, approvers, is_wide and approvers is None and name not in DECISIONS)

    def _may_approve(self, principal: str, actor: str, approver: str) -> bool:
        """Whether the approver is another than the actor and than who sends it, and one for whom the principal speaks."""
        return not (same_person(approver, actor) or _is_user(principal, approver)) and self._speaks_for(principal, approver)

    def _undecided(self, principal: str, actor: str, approver: str) -> Denied | None:
        """Why a decision is none of the approver's; None: it is."""
        if not self._speaks_for(principal, approver):
            why = f"{principal} may not speak for {approver}, who is to have decided it"
        elif person_key(actor) in self._persons and not same_person(approver, actor):
            why = f"{actor} may not decide in the name of {approver}"
        else:
            return None
        return Denied(why, "approver", "let the approver send it: name the same person as approver and as actor")

    def _unapproved(self, principal: str, actor: str, approver: str | None, approvers: frozenset[str]) -> Denied:
        if approver is None:
            why = "it takes four eyes, and names no approver"
        elif same_person(approver, actor):
            why = f"{approver} cannot approve what he asks for himself"
        elif _is_user(principal, approver):
            why = f"{approver} cannot approve what he sends himself"
        elif approver not in approvers:
            why = f"{approver} has no role that may approve it"
        else:
            why = f"{principal} may not speak for {approver}, who is to have approved it"
        fix = "name as approver another person with a role that policy access has for it under four_eyes"
        return Denied(why, "approver", fix)

    def _sender(self, principal: str) -> Sender:
        sender = self._content.principals.get(principal, Sender())
        kind, _, name = principal.partition(":")
        person = self._content.people.get(name, ()) if kind == "user" else ()
        return sender.model_copy(update={"roles": (*sender.roles, *person)})

    def _speaks_for(self, principal: str, actor: str) -> bool:
        sender = self._sender(principal)
        if not person_key(actor):  # a name that nobody can read could be anybody's
            return False
        may_name = ANYBODY in sender.speaks_for or actor in sender.speaks_for
        if not sender.for_itself:
            return may_name and actor in self._content.people
        return may_name or actor == principal.partition(":")[2]

    def _rules(self, roles: Iterable[str], name: str) -> list[AccessRule]:
        held = set(roles)
        return [
            rule
            for rule in self._content.rules
            if not held.isdisjoint(rule.roles) and any(covers(pattern, name) for pattern in rule.commands)
        ]


def _is_user(principal: str, name: str) -> bool:
    kind, _, own = principal.partition(":")
    return kind == "user" and same_person(own, name)


def _is_for(rule: AccessRule, customer: UUID | None) -> bool:
    return not rule.customers or customer in rule.customers


def _is_within(rule: AccessRule, amounts: Iterable[tuple[str, Decimal]]) -> bool:
    return not rule.limits or all(currency in rule.limits and amount <= rule.limits[currency] for currency, amount in amounts)


def _amounts(events: Iterable[Event]) -> Iterator[tuple[str, Decimal]]:
    """The amounts of the events that declare one, each in its currency."""
    for event in events:
        if event.limited_at:
            yield event.currency, abs(getattr(event, event.limited_at))  # type: ignore[attr-defined]


def _customer_fix(who: str, name: str) -> str:
    return f"correct the partitionkey, or publish a rule of policy access that gives {name} to {who} for this customer"
