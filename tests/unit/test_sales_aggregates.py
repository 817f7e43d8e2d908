"""What all aggregates of the sales side have in common: nothing of the published language is left undecided."""

from datetime import date
from typing import Any, get_args

import pytest

from ltc_events.aggregates import campaign, contract, customer, lead, opportunity, opportunity_state, quote
from ltc_events.aggregates.base import BrokenStream
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.rules.registry import RULES
from ltc_events.schemas.lead import LeadAccepted
from ltc_events.schemas.registry import COMMANDS, EVENTS

COMMANDS_OF = {
    "customer": customer.CustomerCommand,
    "campaign": campaign.CampaignCommand,
    "lead": lead.LeadCommand,
    "opportunity": opportunity.OpportunityCommand,
    "quote": quote.QuoteCommand,
    "contract": contract.ContractCommand,
}
EVENTS_OF = {
    "customer": customer.CustomerEvent,
    "campaign": campaign.CampaignEvent,
    "lead": lead.LeadEvent,
    "opportunity": opportunity_state.OpportunityEvent,
    "quote": quote.QuoteEvent,
    "contract": contract.ContractEvent,
}


def named(registry: dict[str, Any], noun: str) -> set[type]:
    return {cls for name, cls in registry.items() if name.partition(".")[0] == noun}


@pytest.mark.parametrize("noun", COMMANDS_OF)
def test_every_command_is_decided_by_its_aggregate_or_by_a_rule(noun: str) -> None:
    assert named(COMMANDS, noun) == set(get_args(COMMANDS_OF[noun])) | (named(COMMANDS, noun) & set(RULES))


@pytest.mark.parametrize("noun", EVENTS_OF)
def test_every_event_changes_its_aggregate_or_says_that_it_does_not(noun: str) -> None:
    assert named(EVENTS, noun) == set(get_args(EVENTS_OF[noun]))


@pytest.mark.parametrize("noun", EVENTS_OF)
def test_a_stream_whose_beginning_is_missing_is_not_read_as_something_else(noun: str) -> None:
    with pytest.raises(BrokenStream, match=f"the stream of a {noun} begins with lead.accepted.v1"):
        AGGREGATES[noun].evolve(None, LeadAccepted(), date.min)
