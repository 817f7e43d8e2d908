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
    PREPAYMENTS = "prepayments", "what invoices state as paid before and no payment here stands for (asset)"
    UNAPPLIED_CASH = "unapplied_cash", "money received that is not put against an invoice yet (liability)"
    CUSTOMER_CREDITS = "customer_credits", "credit notes beyond what their invoices owed (liability)"
    TAX_PAYABLE = "tax_payable", "tax on invoices less credit notes, owed to the tax office (liability)"
    REVENUE = "revenue", "what is billed net of allowances, less credit notes: the transaction price, ASC 606-10-32 (income)"
    ROUNDING = "rounding", "rounding of payable amounts (income or expense)"
    BAD_DEBT = "bad_debt", "receivables given up (expense)"
