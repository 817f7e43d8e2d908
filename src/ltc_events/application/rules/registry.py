"""Every rule that crosses aggregates, by the type of command that it decides."""

from ltc_events.application.rules import billing, cash, ordering, selling
from ltc_events.application.work import Rule
from ltc_events.schemas.base import Command
from ltc_events.schemas.contract import SignContract
from ltc_events.schemas.credit_note import ApplyCreditNote, IssueCreditNote, RefundCreditNote
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.lead import ConvertLead
from ltc_events.schemas.opportunity import WinOpportunity
from ltc_events.schemas.order import PlaceOrder
from ltc_events.schemas.payment import AllocatePayment, ReturnPayment, UnallocatePayment
from ltc_events.schemas.policy import PublishPolicy
from ltc_events.schemas.quote import DraftQuote, PriceQuote

RULES: dict[type[Command], Rule] = {
    PublishPolicy: selling.publish_policy,
    ConvertLead: selling.convert_lead,
    WinOpportunity: selling.win_opportunity,
    DraftQuote: selling.draft_quote,
    PriceQuote: selling.price_quote,
    SignContract: selling.sign_contract,
    PlaceOrder: ordering.place_order,
    IssueInvoice: billing.issue_invoice,
    IssueCreditNote: billing.issue_credit_note,
    ApplyCreditNote: cash.apply_credit_note,
    RefundCreditNote: cash.refund_credit_note,
    AllocatePayment: cash.allocate_payment,
    UnallocatePayment: cash.unallocate_payment,
    ReturnPayment: cash.return_payment,
}
