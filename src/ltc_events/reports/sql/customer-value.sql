/*
title = "Customers by lifetime value"
key = ["customer_id", "currency"]
events = """
SELECT position, customer_id, currency FROM ltc_read.journal WHERE effective_on <= %(as_of)s
UNION ALL
SELECT m.position, m.customer_id, o.currency
FROM ltc_read.order_movements m
JOIN ltc_read.orders o USING (order_id)
WHERE m.effective_on <= %(as_of)s
"""
definition = """
What customers have brought so far, the most valuable first: value = revenue − losses, per currency. Revenue is what was invoiced
less what was credited, before tax; losses are what of their invoices and claims was given up (bad debts), less what came back. It is
a value of the past, not a forecast. Cash is what they paid, less what went back to them. Outstanding is what their invoices owe.
Share is their part of the value of all customers with that currency, where that is positive. Active months run from the first to
the last invoice, both included.
"""
ties_to = """
Revenue, losses, cash and outstanding are the accounts revenue, bad_debt, cash and receivables of the trial balance, per currency.
"""
books = """
SELECT CASE account WHEN 'bad_debt' THEN 'losses' WHEN 'receivables' THEN 'outstanding' ELSE account END, currency,
       sum(CASE account WHEN 'revenue' THEN -amount ELSE amount END)
FROM ltc_read.journal
WHERE account IN ('revenue', 'bad_debt', 'cash', 'receivables') AND effective_on <= %(as_of)s AND position <= %(known_position)s
GROUP BY account, currency
"""

[columns]
customer = { type = "text", meaning = "name of the customer" }
customer_id = { type = "uuid", meaning = "the customer" }
currency = { type = "text", meaning = "currency of the amounts" }
first_invoice_on = { type = "date", meaning = "date of the first invoice" }
last_invoice_on = { type = "date", meaning = "date of the last invoice" }
active_months = { type = "integer", meaning = "calendar months from the first to the last invoice" }
orders = { type = "integer", meaning = "orders placed", total = true }
invoices = { type = "integer", meaning = "invoices issued", total = true }
revenue = { type = "money", meaning = "invoiced less credited, before tax", total = true }
losses = { type = "money", meaning = "given up", total = true }
value = { type = "money", meaning = "revenue − losses", total = true }
share = { type = "percent", meaning = "value in percent of that of all customers" }
average_invoice = { type = "money", meaning = "revenue ÷ invoices, rounded to two decimals" }
cash = { type = "money", meaning = "paid, less what went back", total = true }
outstanding = { type = "money", meaning = "what invoices owe", total = true }

[ties]
revenue = "revenue in the trial balance"
losses = "bad_debt in the trial balance"
cash = "cash in the trial balance"
outstanding = "receivables in the trial balance"
*/
WITH booked AS (
    SELECT customer_id, currency,
           coalesce(-sum(amount) FILTER (WHERE account = 'revenue'), 0) AS revenue,
           coalesce(sum(amount) FILTER (WHERE account = 'bad_debt'), 0) AS losses,
           coalesce(sum(amount) FILTER (WHERE account = 'cash'), 0) AS cash,
           coalesce(sum(amount) FILTER (WHERE account = 'receivables'), 0) AS outstanding,
           count(DISTINCT document_id) FILTER (WHERE event = 'invoice.issued.v1') AS invoices,
           min(effective_on) FILTER (WHERE event = 'invoice.issued.v1') AS first_on,
           max(effective_on) FILTER (WHERE event = 'invoice.issued.v1') AS last_on
    FROM ltc_read.journal
    WHERE effective_on <= %(as_of)s AND position <= %(known_position)s AND customer_id IS NOT NULL
    GROUP BY customer_id, currency
), placed AS (
    SELECT m.customer_id, o.currency, count(DISTINCT m.order_id) AS orders
    FROM ltc_read.order_movements m
    JOIN ltc_read.orders o USING (order_id)
    WHERE m.kind = 'ordered' AND m.effective_on <= %(as_of)s AND m.position <= %(known_position)s
    GROUP BY m.customer_id, o.currency
), valued AS (
    SELECT customer_id, currency, first_on, last_on, coalesce(p.orders, 0) AS orders, coalesce(b.invoices, 0) AS invoices,
           coalesce(b.revenue, 0) AS revenue, coalesce(b.losses, 0) AS losses, coalesce(b.revenue - b.losses, 0) AS value,
           coalesce(b.cash, 0) AS cash, coalesce(b.outstanding, 0) AS outstanding
    FROM booked b
    FULL JOIN placed p USING (customer_id, currency)
), customer AS (
    -- Its name as it was known then.
    SELECT DISTINCT ON (customer_id) customer_id, name
    FROM ltc_read.customer_profiles
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND name IS NOT NULL
    ORDER BY customer_id DESC, position DESC
)
SELECT c.name AS customer, v.customer_id, v.currency, v.first_on AS first_invoice_on, v.last_on AS last_invoice_on,
       (12 * (extract(year FROM v.last_on) - extract(year FROM v.first_on))
           + extract(month FROM v.last_on) - extract(month FROM v.first_on) + 1)::int AS active_months,
       v.orders, v.invoices, v.revenue, v.losses, v.value,
       CASE WHEN sum(v.value) OVER (PARTITION BY v.currency) > 0
            THEN round(100 * v.value / sum(v.value) OVER (PARTITION BY v.currency), 3) END AS share,
       CASE WHEN v.invoices > 0 THEN round(v.revenue / v.invoices, 2) END AS average_invoice,
       v.cash, v.outstanding
FROM valued v
LEFT JOIN customer c ON c.customer_id = v.customer_id
ORDER BY v.currency, v.value DESC, c.name, v.customer_id
