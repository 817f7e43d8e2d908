"""The chart of accounts: every account that the journal posts to."""

from enum import StrEnum


class Account(StrEnum):
    """An account with its meaning. Debits are positive amounts, credits negative ones."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> "Account":
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    CASH = "cash", "money received, less what went back (asset)"
    RECEIVABLES = "receivables", "what customers owe on invoices (asset)"
    CUSTOMER_CLAIMS = "customer_claims", "what customers owe beside invoices: fees, interest, returned payments (asset)"
    PREPAYMENTS = (
        "prepayments",
        "paid outside of this ledger, as invoices state, less what of it was credited (asset)",
    )
    UNAPPLIED_CASH = "unapplied_cash", "money received that is not put against an invoice yet (liability)"
    PAYMENTS_IN_TRANSIT = (
        "payments_in_transit",
        "on its way from one customer's payment to another's (liability); debit: the bank took it back, it is to be given back",
    )
    CUSTOMER_CREDITS = "customer_credits", "credit notes beyond what their invoices owed (liability)"
    TAX_PAYABLE = (
        "tax_payable",
        "tax on invoices, less credit notes and the relief of write-offs, owed to the tax office (liability)",
    )
    REVENUE = "revenue", "what is billed net of allowances, less credit notes: the transaction price, ASC 606-10-32 (income)"
    ROUNDING = "rounding", "rounding of payable amounts (income or expense)"
    DUNNING_FEES = "dunning_fees", "fees of reminders, less what was waived (income)"
    INTEREST = "interest", "interest for late payment, less what was waived (income)"
    BAD_DEBT = "bad_debt", "receivables given up, net of relieved tax, less what was recovered (expense)"
