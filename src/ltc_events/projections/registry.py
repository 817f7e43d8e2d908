"""Every read table of the product: one line each."""

from ltc_events.projections.base import Projection
from ltc_events.projections.tables.campaign_costs import CampaignCosts
from ltc_events.projections.tables.campaigns import Campaigns
from ltc_events.projections.tables.contacts import Contacts
from ltc_events.projections.tables.customer_profiles import CustomerProfiles
from ltc_events.projections.tables.customer_references import CustomerReferences
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.decision_makers import DecisionMakers
from ltc_events.projections.tables.follow_ups import FollowUps
from ltc_events.projections.tables.interactions import Interactions
from ltc_events.projections.tables.lead_steps import LeadSteps
from ltc_events.projections.tables.leads import Leads
from ltc_events.projections.tables.list_prices import ListPrices
from ltc_events.projections.tables.opportunities import Opportunities
from ltc_events.projections.tables.opportunity_amounts import OpportunityAmounts
from ltc_events.projections.tables.opportunity_stages import OpportunityStages
from ltc_events.projections.tables.policies import PolicyVersions
from ltc_events.projections.tables.quote_lines import QuoteLines
from ltc_events.projections.tables.quote_steps import QuoteSteps
from ltc_events.projections.tables.quotes import Quotes
from ltc_events.projections.tables.timeline import Timeline

PROJECTIONS: tuple[type[Projection], ...] = (
    Timeline,
    PolicyVersions,
    ListPrices,
    Customers,
    CustomerProfiles,
    CustomerReferences,
    Contacts,
    Campaigns,
    CampaignCosts,
    Leads,
    LeadSteps,
    FollowUps,
    Opportunities,
    OpportunityStages,
    OpportunityAmounts,
    DecisionMakers,
    Interactions,
    Quotes,
    QuoteSteps,
    QuoteLines,
)
