"""Administers policy `access`: reads the version in force, changes it, and publishes the next one."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid4

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from ltc_events.aggregates.access import NAMES, AccessRules, covers
from ltc_events.aggregates.policies import Policies, Versioned, policy_id
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.schemas.envelope import document
from ltc_events.schemas.outcome import Outcome, Refusal
from ltc_events.schemas.policy import Access, AccessRule, FourEyes, PolicyKind, PolicyPublished, PublishPolicy, Sender
from ltc_events.store import EventStore

SOURCE = "ltc-access"
ADMINISTRATOR = "administrator"
"""The role that the first administrator has."""

Change = Callable[[Access], Access]


class AccessNotChanged(LtcError):
    """policy access was not changed: {reasons}"""

    remedy = "{fix}"


class AccessMalformed(LtcError):
    """this is no part of policy access: {problem}"""

    kind = Kind.USAGE
    remedy = "{fix}"


class NotThere(LtcError):
    """policy access has no {what}"""

    remedy = "{fix}"


class AlreadyAdministered(LtcError):
    """policy access has version {version} already, and is {mode}: there is no first administrator to name"""

    remedy = (
        "an administrator adds others: `ltc access person NAME --role administrator`; `ltc access enforce` closes what is open"
    )


class Verdict(NamedTuple):
    """Whether a command would be authorised, and why: the rules that give it, or what is missing."""

    is_allowed: bool
    why: str
    fix: str
    rules: tuple[AccessRule, ...] = ()


def access_in_force(store: EventStore) -> Versioned[Access]:
    """The version of the policy that is in force."""
    policies = Policies()
    for record in store.stream(policy_id(PolicyKind.ACCESS)):
        if isinstance(record.event, PolicyPublished):
            policies = policies.with_published(record.event)
    return policies.access


def publish(
    store: EventStore, pipeline: CommandPipeline, change: Change, *, approver: str | None = None, hand_over: bool = False
) -> Versioned[Access]:
    """Publish what `change` makes of the version in force, as the pipeline's principal. A change that changes nothing is not
    published. After a `hand_over` the principal may be one who cannot publish it again. Raises AccessNotChanged, AccessMalformed.
    """
    before = access_in_force(store)
    try:
        content = Access.model_validate_json(change(before.content).model_dump_json(warnings=False))
        publication = PublishPolicy(content=content, approver=approver, hand_over=hand_over)
    except ValidationError as error:
        raise _malformed(error) from None
    except PydanticSerializationError:
        raise AccessMalformed(problem="a name holds bytes that are no UTF-8", fix="write names in UTF-8") from None
    if content == before.content:
        return before
    id = policy_id(PolicyKind.ACCESS)
    actor = pipeline.principal.name if pipeline.principal else SOURCE
    command = document(
        publication,
        command_id=uuid4(),
        subject=id,
        customer_id=None,
        source=SOURCE,
        actor=actor,
    )
    (answer,) = pipeline.submit([{**command, "expectedversion": before.version}])
    if not isinstance(answer, Outcome) or answer.reasons:
        reasons: tuple[Refusal, ...] = answer.reasons if isinstance(answer, Outcome) else ()
        told = "; ".join(one.message for one in reasons) or str(answer)
        raise AccessNotChanged(reasons=told, fix="; ".join(one.fix for one in reasons))
    return access_in_force(store)


class ClockRights(NamedTuple):
    """What the clock is given from the beginning: its principals, the actor it names, and its commands."""

    principals: tuple[str, ...]
    actor: str
    commands: tuple[str, ...]


def appoint(store: EventStore, pipeline: CommandPipeline, name: str, clock: ClockRights, *, hand_over: bool = False) -> None:
    """Enforce the policy, with one person who may do everything, and with the clock. Where it is so, it stays so.

    The person is the pipeline's principal, unless it is a `hand_over`.
    Raises AlreadyAdministered, AccessNotChanged, AccessMalformed.
    """
    version, present = (before := access_in_force(store)).version, before.content
    if present.mode == "enforced" and ADMINISTRATOR in present.people.get(name, ()):
        return
    if version:
        raise AlreadyAdministered(version=version, mode=present.mode)
    rules = (AccessRule(roles=(ADMINISTRATOR,), commands=("*",)), AccessRule(roles=("clock",), commands=clock.commands))
    people = {name: (ADMINISTRATOR,)}
    principals = {text: Sender(roles=("clock",), speaks_for=(clock.actor,)) for text in clock.principals}
    first = Access(kind="access", mode="enforced", people=people, principals=principals, rules=rules)
    publish(store, pipeline, lambda _: first, hand_over=hand_over)


def allow(role: str, commands: tuple[str, ...], customers: tuple[UUID, ...] = (), limits: Mapping[str, Decimal] = {}) -> Change:
    """Give commands to a role."""
    made = AccessRule.model_construct(roles=(role,), commands=commands, customers=customers, limits=dict(limits))
    return lambda access: access if made in access.rules else access.model_copy(update={"rules": (*access.rules, made)})


def revoke(role: str, commands: tuple[str, ...]) -> Change:
    """Take commands from a role, as they stand in its rules; all of them where none are named. The change raises NotThere."""

    def left(rule: AccessRule) -> list[AccessRule]:
        if role not in rule.roles:
            return [rule]
        others = tuple(one for one in rule.roles if one != role)
        kept = tuple(one for one in rule.commands if commands and one not in commands)
        taken = tuple(one for one in rule.commands if one not in kept)
        parts = [(rule.roles, kept), (others, taken)]
        return [rule.model_copy(update={"roles": roles, "commands": names}) for roles, names in parts if roles and names]

    def change(access: Access) -> Access:
        patterns = {pattern for rule in access.rules if role in rule.roles for pattern in rule.commands}
        missing = [one for one in commands if one not in patterns]
        if missing or not patterns:
            wider = _wider(patterns, missing)
            fix = f"revoke what gives it: {', '.join(wider)}" if wider else "name role and commands as `ltc access show` has them"
            raise NotThere(what=f"rule that gives {', '.join(missing) or 'anything'} to {role}", fix=fix)
        return access.model_copy(update={"rules": tuple(one for rule in access.rules for one in left(rule))})

    return change


def set_person(name: str, roles: tuple[str, ...] | None) -> Change:
    """Give a person these roles, in place of those it had; None: it is one of the people no longer. May raise NotThere."""
    return lambda access: access.model_copy(update={"people": _with("person", access.people, name, roles)})


def set_principal(text: str, sender: Sender | None) -> Change:
    """Let a principal be this; None: it is nothing any longer, and may send nothing. The change raises NotThere."""
    return lambda access: access.model_copy(update={"principals": _with("principal", access.principals, text, sender)})


def set_four_eyes(commands: tuple[str, ...], roles: tuple[str, ...] | None) -> Change:
    """Let these commands take the approval of another person with one of the roles, in place of what they took; None: of nobody.

    Commands are patterns as the policy has them. The change raises NotThere.
    """

    names, wanted = dict.fromkeys(commands), set(roles or ())

    def change(access: Access) -> Access:
        if roles is None:
            _require_four_eyes(access, commands)
        entries, is_new = [], bool(roles)
        for one in access.four_eyes:
            if set(one.roles) == wanted:
                is_new, patterns = False, (*one.commands, *(name for name in names if name not in one.commands))
            else:
                patterns = tuple(pattern for pattern in one.commands if pattern not in names)
            if patterns:
                entries.append(one.model_copy(update={"commands": patterns}))
        if is_new:
            entries.append(FourEyes.model_construct(commands=tuple(names), roles=roles or ()))
        return access.model_copy(update={"four_eyes": tuple(entries)})

    return change


def set_mode(mode: str) -> Change:
    """Enforce the rules, or let everybody do everything."""
    return lambda access: access.model_copy(update={"mode": mode})


def check(access: Access, principal: str, name: str, *, actor: str, customer: UUID | None, approver: str | None) -> Verdict:
    """Whether a principal may send the command of this name (`invoice.issue`) for an actor, amounts apart.

    Raises AccessMalformed for what is no principal or no command.
    """
    try:
        Access(kind="access", principals={principal: Sender()})
    except ValidationError as error:
        raise _malformed(error) from None
    if name not in NAMES:
        raise AccessMalformed(problem=f"no command is called {name}", fix=_FORMS["commands"])
    if access.mode == "open":
        return Verdict(True, "policy access is open: whoever can send may do everything", "")
    rules = AccessRules(access)
    denied = rules.denied(principal, actor, name, customer, approver)
    if denied is not None:
        return Verdict(False, denied.why, denied.fix)
    return Verdict(True, "these rules give it", "", tuple(rules.rules_for(principal, actor, name)))


_FORMS = {
    "commands": "name a command without its version: invoice.issue; in rules also invoice.* or *",
    "principals": "write user:, source: or worker: and a name, such as source:webshop",
}


def _malformed(error: ValidationError) -> AccessMalformed:
    first = error.errors(include_url=False)[0]
    where = first["loc"]
    told = f"{first['input']} has not the form it needs" if first["type"] == "string_pattern_mismatch" else first["msg"]
    of_commands, of_principals = (
        "commands" in where,
        where[0] == "principals" and len(where) == len(("principals", "key", "[key]")),
    )
    fix = "see `ltc access --help` and docs/operations.md"
    if of_commands or of_principals:
        fix = _FORMS["commands" if of_commands else "principals"]
    return AccessMalformed(problem=f"{'.'.join(map(str, where))}: {told}", fix=fix)


def _require_four_eyes(access: Access, commands: Iterable[str]) -> None:
    patterns = {pattern for one in access.four_eyes for pattern in one.commands}
    if missing := [one for one in commands if one not in patterns]:
        wider = _wider(patterns, missing)
        fix = f"remove what asks for them: {', '.join(wider)}" if wider else "name commands as `ltc access show` has them"
        raise NotThere(what=f"four eyes for {', '.join(missing)}", fix=fix)


def _wider(patterns: Iterable[str], missing: Iterable[str]) -> list[str]:
    """Those of the patterns that cover one of the missing ones."""
    return sorted(pattern for pattern in patterns if any(covers(pattern, one) for one in missing))


def _with(what: str, entries: Mapping[str, object], key: str, value: object | None) -> dict[str, object]:
    if value is None and key not in entries:
        raise NotThere(what=f"{what} {key}", fix="name it as `ltc access show` has it")
    rest = {name: one for name, one in entries.items() if name != key}
    return rest if value is None else {**rest, key: value}
