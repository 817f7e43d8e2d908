"""Authorisation: the one check that every command passes before it is decided, whatever door it came by.

What decides takes `Authorised` messages alone, and this module alone makes them: the types hold the first, a test of the source
the second.
"""

from collections.abc import Sequence
from typing import NewType

from ltc_events.aggregates.access import AccessRules, Denied, name_of
from ltc_events.aggregates.policies import Versioned
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.base import Command
from ltc_events.schemas.envelope import Message
from ltc_events.schemas.policy import Access, PublishPolicy
from ltc_events.store.commit import NewEvent

Authorised = NewType("Authorised", Message)
"""A message whose principal may send its command."""


class NotAuthorised(Refused):
    """{principal} may not send {command} for {actor}: {why}"""

    remedy = "{fix}"


NOT_AUTHORISED = "not_authorised"
"""The code of that refusal."""


class SenderLockedOut(Refused):
    """by these rules {sender} could not publish policy access again"""

    field = "content"
    remedy = (
        "give {sender} a role that has policy.publish.access; or, if others are to administer it from now on, state so:"
        " hand_over true (`--hand-over`)"
    )


class Gatekeeper:
    """The rules in force, prepared once for each version of policy `access`."""

    def __init__(self) -> None:
        self._prepared: tuple[Versioned[Access], AccessRules] | None = None

    def rules(self, policy: Versioned[Access]) -> AccessRules | None:
        """The rules of a version; None: it lets everybody do everything."""
        if policy.content.mode == "open":
            return None
        if self._prepared is None or self._prepared[0] is not policy:
            self._prepared = policy, AccessRules(policy.content)
        return self._prepared[1]


def authorise(message: Message, command: Command, rules: AccessRules | None) -> Authorised:
    """The message, if its principal may send the command (`rules` None: everybody may). Raises NotAuthorised."""
    if rules is not None:
        principal, name = message.principal, name_of(command)
        if principal is None:
            fix = "send it by a door that authenticates who sends"
            raise _not_authorised(message, name, Denied("nobody was authenticated", "", fix))
        approver = getattr(command, "approver", None)
        denied = rules.denied(principal.text, message.actor, name, message.customer_id, approver)
        if denied is not None:
            raise _not_authorised(message, name, denied)
    return Authorised(message)


def require_sender_keeps(message: Authorised, command: Command) -> None:
    """Check that who publishes policy `access` may change it again, unless the command says that another is meant to.

    Raises SenderLockedOut. Where nobody is authenticated there is nobody to keep.
    """
    if type(command) is not PublishPolicy or command.hand_over or message.principal is None:
        return
    content, sender = command.content, message.principal.text
    if isinstance(content, Access) and content.mode == "enforced" and not AccessRules(content).keeps(sender, message.actor):
        told = sender if message.actor == message.principal.name else f"{sender} for {message.actor}"
        raise SenderLockedOut(sender=told)


def require_within_limits(message: Authorised, command: Command, events: Sequence[NewEvent], rules: AccessRules) -> None:
    """Check the amounts of what the command would make against the limits of who sends it. Raises NotAuthorised."""
    name, principal = name_of(command), message.principal
    if principal is not None:
        beyond = rules.beyond(principal.text, message.actor, name, message.customer_id, (one.event for one in events))
        if beyond is not None:
            raise _not_authorised(message, name, beyond)


def _not_authorised(message: Message, name: str, denied: Denied) -> NotAuthorised:
    told = {"principal": message.principal or "nobody", "command": name, "actor": message.actor}
    return NotAuthorised(**told, why=denied.why, fix=denied.fix, at=denied.at)
