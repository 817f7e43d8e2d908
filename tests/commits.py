"""Commits for tests of the event store: costs of campaigns, as plain as an event can be."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from ltc_events.schemas.campaign import CampaignCostRecorded, CampaignLaunched
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.outcome import Outcome, Refusal, Status
from ltc_events.store import Commit, NewEvent, Offset

OCCURRED_AT = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
EFFECTIVE_ON = date(2025, 2, 28)


def spent(amount: str = "12.50") -> CampaignCostRecorded:
    """An event with an amount."""
    return CampaignCostRecorded(cost_id=uuid4(), amount=Decimal(amount), currency="EUR", channel=Channel.EMAIL)


def new_event(stream: UUID, version: int, command_id: UUID | None = None, customer_id: UUID | None = None) -> NewEvent:
    """An event of a stream: the first one launches, the others spend."""
    event = CampaignLaunched() if version == 1 else spent()
    command_id = command_id or uuid4()
    return NewEvent(stream, version, event, customer_id, OCCURRED_AT, EFFECTIVE_ON, command_id, command_id, command_id, "tester")


def accepted(command_id: UUID, first: int, last: int) -> Outcome:
    """The outcome of a command whose events stand from `first` to `last` in the commit (0: none)."""
    return Outcome(command_id, "campaign.record_cost.v1", b"h" * 32, Status.ACCEPTED, first, last)


def refused(command_id: UUID) -> Outcome:
    """The outcome of a command that broke a rule."""
    reason = Refusal(code="campaign_closed", field="", message="closed", fix="open another one")
    return Outcome(command_id, "campaign.record_cost.v1", b"h" * 32, Status.REFUSED, reasons=(reason,), content=b"{}")


def one_command(stream: UUID | None = None, version: int = 1, events: int = 1) -> Commit:
    """One command with so many events on one stream."""
    command_id, stream = uuid4(), stream or uuid4()
    made = [new_event(stream, version + number, command_id) for number in range(events)]
    return Commit(made, [accepted(command_id, min(1, events), events)])


def batch(commands: int, offsets: Sequence[Offset] = ()) -> Commit:
    """Commands with two events each, on streams of their own."""
    commit = Commit(offsets=list(offsets))
    for _ in range(commands):
        stream, command_id = uuid4(), uuid4()
        first = len(commit.events) + 1
        commit.events += [new_event(stream, 1, command_id), new_event(stream, 2, command_id)]
        commit.outcomes.append(accepted(command_id, first, first + 1))
    return commit
