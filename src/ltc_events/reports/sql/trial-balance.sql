/*
title = "Trial balance"
key = ["account", "currency"]
events = """
SELECT position, account, currency FROM ltc_read.journal WHERE effective_on <= %(as_of)s
"""
definition = """
The balance of every account of the journal, per currency: debits − credits. The debits of a currency equal its credits, so
its balances add up to zero; the database refuses any entry by which they would not.
"""
ties_to = """
It is the books: the balances of each currency add up to zero.
"""
books = """
SELECT DISTINCT 'balance', currency, 0::numeric FROM ltc_read.journal
"""

[columns]
account = { type = "text", meaning = "the account" }
currency = { type = "text", meaning = "currency of the amounts" }
debit = { type = "money", meaning = "sum of the debits", total = true }
credit = { type = "money", meaning = "sum of the credits", total = true }
balance = { type = "money", meaning = "debits − credits: what the account holds; negative: it is owed or earned", total = true }

[ties]
balance = "zero in every currency"
*/
SELECT account, currency,
       coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS debit,
       -coalesce(sum(amount) FILTER (WHERE amount < 0), 0) AS credit,
       sum(amount) AS balance
FROM ltc_read.journal
WHERE effective_on <= %(as_of)s AND position <= %(known_position)s
GROUP BY account, currency
ORDER BY currency, account
