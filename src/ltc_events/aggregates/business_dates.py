"""The order of business dates: no event is dated before what it acts on. In selling, a policy can allow it."""

from collections.abc import Iterable
from datetime import date

from ltc_events.aggregates.base import DatedTooEarly
from ltc_events.aggregates.policies import Policies
from ltc_events.schemas.base import Event


class StepDatedTooEarly(DatedTooEarly):
    """{effective_on} is before {earliest}, the date of {what}"""

    remedy = (
        "give an effective_on of {earliest} or later; or publish policy business_dates with selling = record, where the dates of "
        "another system are not in order"
    )


def in_order(events: Iterable[Event], effective_on: date, earliest: date, what: str, policies: Policies) -> list[Event]:
    """The events of a selling step that acts on `what`, dated `earliest`.

    Events dated before that are marked with that date where policy `business_dates` is *record*; otherwise it raises
    StepDatedTooEarly.
    """
    if effective_on >= earliest:
        return list(events)
    if policies.business_dates.content.selling == "refuse":
        raise StepDatedTooEarly(effective_on=effective_on, earliest=earliest, what=what)
    return [event.model_copy(update={"dated_before": earliest}) for event in events]
