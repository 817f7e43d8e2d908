"""A company's policy `access`, for tests: a shop that orders and pays, a back office, and people with roles."""

from decimal import Decimal
from typing import Any

from ltc_events.aggregates.policies import policy_id
from ltc_events.kernel.principals import Principal, PrincipalKind
from ltc_events.schemas.policy import Access, AccessRule, FourEyes, PublishPolicy, Sender

from tests.commands import send  # isort: skip

ADMIN = Principal(PrincipalKind.USER, "ada")
SHOP = Principal(PrincipalKind.SOURCE, "webshop")
OFFICE = Principal(PrincipalKind.SOURCE, "office")


def rule(roles: str, commands: str, **more: Any) -> AccessRule:
    """A rule of roles and patterns, each separated by blanks."""
    return AccessRule(roles=tuple(roles.split()), commands=tuple(commands.split()), **more)


COMPANY = Access(
    kind="access",
    mode="enforced",
    principals={
        SHOP.text: Sender(roles=("shop",)),
        OFFICE.text: Sender(roles=("office",), for_itself=False, speaks_for=("paula", "otto", "ada")),
    },
    people={"ada": ("administrator",), "paula": ("clerk",), "otto": ("clerk", "manager")},
    rules=(
        rule("administrator", "*"),
        rule("shop", "customer.register lead.* opportunity.* order.place"),
        rule("shop", "payment.receive", limits={"EUR": Decimal(5000)}),
        rule("office", "*"),
        rule("clerk", "payment.* credit_note.* customer.* policy.publish.billing"),
    ),
    four_eyes=(FourEyes(commands=("credit_note.issue", "policy.publish.billing"), roles=("manager",)),),
)


def publish_access(content: Access = COMPANY, **more: Any) -> dict[str, Any]:
    """Publish the next version of policy `access`."""
    return send(PublishPolicy(content=content), policy_id("access"), **{"actor": ADMIN.name, **more})
