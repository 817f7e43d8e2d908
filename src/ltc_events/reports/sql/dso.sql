/*
title = "Days sales outstanding"
key = ["currency"]
events = """
SELECT position, currency FROM ltc_read.open_item_movements WHERE effective_on <= %(as_of)s
"""
definition = """
DSO = receivables ÷ credit sales × days, per currency (R-69). Receivables are what invoices still owe on the as-of date;
unapplied cash and stand-alone credit notes are shown beside and not taken off. Credit sales are what invoices of the window
made payable, with tax, less the credit notes of the window. The window is the `days` days up to and with the as-of date.
Without credit sales there is no DSO.
"""
narrow = true
ties_to = """
Receivables are the receivables of the trial balance, per currency; unapplied is what it has as unapplied_cash and
customer_credits; so both are those of `receivables-aging`. Credit sales are no balance.
"""
books = """
SELECT CASE account WHEN 'receivables' THEN account ELSE 'unapplied' END, currency, sum(amount)
FROM ltc_read.journal
WHERE account IN ('receivables', 'unapplied_cash', 'customer_credits') AND effective_on <= %(as_of)s AND position <= %(known_position)s
GROUP BY 1, currency
"""

[parameters]
days = { type = "integer", reach = "back", default = 90, meaning = "length of the window in days" }

[columns]
currency = { type = "text", meaning = "currency of the amounts" }
window_from = { type = "date", meaning = "first day of the window" }
window_to = { type = "date", meaning = "last day of the window" }
days = { type = "integer", meaning = "days of the window" }
receivables = { type = "money", meaning = "what invoices still owe", total = true }
unapplied = { type = "money", meaning = "unapplied cash and stand-alone credit notes (negative)", total = true }
credit_sales = { type = "money", meaning = "invoiced less credited in the window, with tax" }
dso = { type = "decimal", meaning = "receivables ÷ credit sales × days, to one decimal" }

[ties]
receivables = "receivables in the trial balance"
unapplied = "unapplied_cash and customer_credits in the trial balance"
*/
WITH candidate AS (
    SELECT item_id, instalment FROM ltc_read.open_items
    WHERE outstanding > 0 OR outstanding < 0 OR last_position > %(known_position)s
    UNION
    SELECT item_id, instalment FROM ltc_read.open_item_movements WHERE effective_on > %(as_of)s
), stock AS (
    SELECT m.currency,
           coalesce(sum(m.amount) FILTER (WHERE m.item = 'invoice'), 0) AS receivables,
           coalesce(sum(m.amount) FILTER (WHERE m.item IN ('payment', 'credit_note')), 0) AS unapplied
    FROM candidate
    JOIN ltc_read.open_item_movements m USING (item_id, instalment)
    WHERE m.effective_on <= %(as_of)s AND m.position <= %(known_position)s
    GROUP BY m.currency
), flow AS (
    SELECT currency, sum(amount) AS credit_sales
    FROM ltc_read.open_item_movements
    WHERE kind IN ('invoiced', 'credited', 'issued') AND position <= %(known_position)s
        AND effective_on > %(as_of)s::date - %(days)s::int AND effective_on <= %(as_of)s
    GROUP BY currency
)
SELECT currency, %(as_of)s::date - %(days)s::int + 1 AS window_from, %(as_of)s::date AS window_to, %(days)s::int AS days,
       coalesce(receivables, 0) AS receivables, coalesce(unapplied, 0) AS unapplied, coalesce(credit_sales, 0) AS credit_sales,
       CASE WHEN credit_sales > 0 THEN round(coalesce(receivables, 0) * %(days)s::int / credit_sales, 1) END AS dso
FROM stock
FULL JOIN flow USING (currency)
WHERE receivables <> 0 OR unapplied <> 0 OR credit_sales <> 0
ORDER BY currency
