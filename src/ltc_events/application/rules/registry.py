"""Every rule that crosses aggregates, by the type of command that it decides."""

from ltc_events.application.rules import cash, claims, invoicing, ordering, payment_moves, recovery, selling
from ltc_events.application.unit_of_work import Rule
from ltc_events.schemas.base import Command
from ltc_events.schemas.claim import RaiseClaim
from ltc_events.schemas.contract import SignContract
from ltc_events.schemas.credit_note import ApplyCreditNote, IssueCreditNote, RefundCreditNote, UnapplyCreditNote
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.lead import CaptureLead, ConvertLead
from ltc_events.schemas.opportunity import WinOpportunity
from ltc_events.schemas.order import PlaceOrder
from ltc_events.schemas.payment import (
    AllocatePayment,
    AllocateToClaim,
    CancelMove,
    MoveInPayment,
    MoveOutPayment,
    RecoverWriteOff,
    ReturnPayment,
    UnallocateFromClaim,
    UnallocatePayment,
)
from ltc_events.schemas.policy import PublishPolicy
from ltc_events.schemas.quote import DraftQuote, PriceQuote
from ltc_events.schemas.receivable import SendDunningNotice

RULES: dict[type[Command], Rule] = {
    PublishPolicy: selling.publish_policy,
    CaptureLead: selling.capture_lead,
    ConvertLead: selling.convert_lead,
    WinOpportunity: selling.win_opportunity,
    DraftQuote: selling.draft_quote,
    PriceQuote: selling.price_quote,
    SignContract: selling.sign_contract,
    PlaceOrder: ordering.place_order,
    IssueInvoice: invoicing.issue_invoice,
    IssueCreditNote: invoicing.issue_credit_note,
    ApplyCreditNote: cash.apply_credit_note,
    UnapplyCreditNote: cash.unapply_credit_note,
    RefundCreditNote: cash.refund_credit_note,
    AllocatePayment: cash.allocate_payment,
    RecoverWriteOff: recovery.recover_write_off,
    UnallocatePayment: cash.unallocate_payment,
    SendDunningNotice: claims.send_dunning_notice,
    RaiseClaim: claims.raise_claim,
    AllocateToClaim: claims.allocate_to_claim,
    UnallocateFromClaim: claims.unallocate_from_claim,
    ReturnPayment: cash.return_payment,
    MoveOutPayment: payment_moves.move_out,
    MoveInPayment: payment_moves.move_in,
    CancelMove: payment_moves.cancel_move,
}
