"""Commands as the outside sends them, for tests of what crosses the pipeline."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from ltc_events.aggregates.policies import policy_id
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command
from ltc_events.schemas.customer import Profile, RegisterCustomer, UpdateProfile
from ltc_events.schemas.envelope import document
from ltc_events.schemas.lead import CaptureLead, Channel, ConvertLead, EvidenceKind, QualifyLead, ScreenLead
from ltc_events.schemas.policy import Billing, PublishPolicy

TIME = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def send(command: Command, subject: UUID, customer: UUID | None = None, *, id: UUID | None = None, **more: Any) -> dict[str, Any]:
    """The CloudEvent of a command; a new command id unless one is given."""
    more = {"source": "test", "time": TIME, "actor": "ann", **more}
    return document(command, command_id=id or uuid4(), subject=subject, customer_id=customer, **more)


def register(name: str = "Analytical Ltd", customer: UUID | None = None, **more: Any) -> dict[str, Any]:
    """Register a customer, whose id follows from its name unless given."""
    customer = customer or derive_id("test", name)
    profile = Profile(name=name, email="office@analytical.example")
    return send(RegisterCustomer(profile=profile), customer, customer, **more)


def rename(name: str, customer: UUID, **more: Any) -> dict[str, Any]:
    """Give a customer another name."""
    return send(UpdateProfile(profile=Profile(name=name)), customer, customer, **more)


def publish_billing(percent: str, **more: Any) -> dict[str, Any]:
    """Publish the next version of the billing policy."""
    content = Billing(kind="billing", over_billing_percent=percent)  # type: ignore[arg-type]
    return send(PublishPolicy(content=content), policy_id("billing"), **more)


def capture(lead: UUID, customer: UUID, **more: Any) -> dict[str, Any]:
    """Capture a complete lead."""
    command = CaptureLead(
        contact_name="Ada King",
        company="Analytical Ltd",
        email="ada@analytical.example",
        industry="machinery",
        need="a bigger mill",
        channel=Channel.EXHIBITION,
    )
    return send(command, lead, customer, **more)


def sell(lead: UUID, opportunity: UUID, customer: UUID, amount: str = "1000") -> list[dict[str, Any]]:
    """Take a lead all the way to an opportunity."""
    screen = ScreenLead(specific_customer=True, potential_intent=True, can_take_part=True)
    convert = ConvertLead(
        opportunity_id=opportunity,
        evidence=EvidenceKind.INTENT_TO_BUY,
        evidence_note="asked for a quote",
        can_take_part=True,
        title="The mill",
        amount=amount,  # type: ignore[arg-type]
        currency="EUR",
    )
    return [
        capture(lead, customer),
        send(screen, lead, customer),
        send(QualifyLead(need="a bigger mill"), lead, customer),
        send(convert, lead, customer),
    ]
