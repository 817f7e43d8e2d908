"""Every read table of the product: one line each."""

from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.tables.campaign_costs import CampaignCosts
from ltc_events.projections.tables.campaigns import Campaigns
from ltc_events.projections.tables.claims import Claims
from ltc_events.projections.tables.contacts import Contacts
from ltc_events.projections.tables.contract_versions import ContractVersions
from ltc_events.projections.tables.contracts import Contracts
from ltc_events.projections.tables.credit_notes import CreditNotes
from ltc_events.projections.tables.customer_profiles import CustomerProfiles
from ltc_events.projections.tables.customer_references import CustomerReferences
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.decision_makers import DecisionMakers
from ltc_events.projections.tables.dunning_notices import DunningNotices
from ltc_events.projections.tables.follow_ups import FollowUps
from ltc_events.projections.tables.interactions import Interactions
from ltc_events.projections.tables.invoice_disputes import InvoiceDisputes
from ltc_events.projections.tables.invoice_lines import InvoiceLines
from ltc_events.projections.tables.invoice_taxes import InvoiceTaxes
from ltc_events.projections.tables.invoices import Invoices
from ltc_events.projections.tables.journal import Journal
from ltc_events.projections.tables.lead_steps import LeadSteps
from ltc_events.projections.tables.leads import Leads
from ltc_events.projections.tables.list_prices import ListPrices
from ltc_events.projections.tables.open_item_movements import OpenItemMovements
from ltc_events.projections.tables.open_items import OpenItems
from ltc_events.projections.tables.opportunities import Opportunities
from ltc_events.projections.tables.opportunity_amounts import OpportunityAmounts
from ltc_events.projections.tables.opportunity_details import OpportunityDetails
from ltc_events.projections.tables.opportunity_stages import OpportunityStages
from ltc_events.projections.tables.order_line_versions import OrderLineVersions
from ltc_events.projections.tables.order_lines import OrderLines
from ltc_events.projections.tables.order_movements import OrderMovements
from ltc_events.projections.tables.orders import Orders
from ltc_events.projections.tables.payment_movements import PaymentMovements
from ltc_events.projections.tables.payment_promises import PaymentPromises
from ltc_events.projections.tables.payments import Payments
from ltc_events.projections.tables.policies import PolicyVersions
from ltc_events.projections.tables.quote_lines import QuoteLines
from ltc_events.projections.tables.quote_steps import QuoteSteps
from ltc_events.projections.tables.quotes import Quotes
from ltc_events.projections.tables.revenue_bridge import RevenueBridge
from ltc_events.projections.tables.search_terms import SearchTerms
from ltc_events.projections.tables.shipments import Shipments
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
    OpportunityDetails,
    DecisionMakers,
    Interactions,
    Quotes,
    QuoteSteps,
    QuoteLines,
    Orders,
    OrderLines,
    OrderLineVersions,
    OrderMovements,
    Shipments,
    Contracts,
    ContractVersions,
    Invoices,
    InvoiceLines,
    InvoiceTaxes,
    InvoiceDisputes,
    PaymentPromises,
    DunningNotices,
    CreditNotes,
    Payments,
    PaymentMovements,
    Claims,
    OpenItems,
    OpenItemMovements,
    Journal,
    RevenueBridge,
    SearchTerms,
)
