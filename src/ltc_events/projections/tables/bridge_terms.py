"""The terms of the revenue bridge, between a deal's won amount and its cash."""

from enum import StrEnum


class Term(StrEnum):
    """Where an amount of a deal is. Every event moves amounts from one term to another, so all terms add up to zero.

    `won` is where the amount comes from, so it is negative; so are `tax` and `charges`, which add to it. The others say
    how much is there now: negative where more has left than arrived, e.g. `not_billed` when billed before delivery.
    What is ordered, billed or paid without a deal moves between the same terms, without a `won` that it comes from.
    """

    meaning: str

    def __new__(cls, code: str, meaning: str) -> "Term":
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    WON = "won", "the amount the deal was won for, net of tax"
    SCOPE_CHANGE = "scope_change", "won for, but not in the accepted quotes before their discounts"
    DISCOUNT = "discount", "discounts of the ordered quotes"
    NOT_ORDERED = "not_ordered", "accepted in a quote, or won without one, and not ordered (ordered beyond it: negative)"
    AMENDED = "amended", "taken out of orders by amendments (added: negative)"
    NOT_DELIVERED = "not_delivered", "ordered, not delivered"
    CANCELLED = "cancelled", "ordered, released by cancelling"
    NOT_BILLED = "not_billed", "delivered, not billed"
    ALLOWANCES = "allowances", "allowances on invoices"
    CHARGES = "charges", "charges on invoices (negative)"
    CREDITED = "credited", "credited before tax, and not to be billed again"
    TAX = "tax", "tax on invoices less credit notes and what write-offs relieve (negative)"
    ROUNDING = "rounding", "rounding of payable amounts (rounded up: negative)"
    PREPAID = "prepaid", "stated on invoices as paid before, outside of this ledger, less what of it was credited"
    UNPAID = "unpaid", "billed, not paid"
    CUSTOMER_CREDIT = "customer_credit", "credited beyond what was owed: paid, but owed back (negative)"
    WRITTEN_OFF = "written_off", "given up, net of relieved tax"
    CLAIMS = "claims", "owed beside invoices for money that went out; paid: negative"
    UNAPPLIED = "unapplied", "received, and not put against an invoice (negative)"
    IN_TRANSIT = "in_transit", "on its way from one customer's payment to another's (negative)"
    CASH = "cash", "paid, and not paid back"
