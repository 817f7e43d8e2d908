"""The business day that it is for the company, from the events alone."""

from datetime import date, datetime

from ltc_events.aggregates.business_days import business_day
from ltc_events.aggregates.policies import Policies, policy_id
from ltc_events.schemas.policy import PolicyPublished
from ltc_events.store import EventStore


def company_day(store: EventStore, moment: datetime) -> date:
    """The date of a moment in the time zone of policy `company`; in UTC before that was published. Raises TimeZoneMissing."""
    policies = Policies()
    for record in store.stream(policy_id("company")):
        if isinstance(record.event, PolicyPublished):
            policies = policies.with_published(record.event)
    return business_day(moment, policies.company.content)
