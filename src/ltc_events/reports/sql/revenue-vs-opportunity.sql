/*
title = "Revenue versus opportunity"
key = ["opportunity_id", "currency"]
events = """
SELECT position, opportunity_id, currency FROM ltc_read.revenue_bridge WHERE effective_on <= %(as_of)s
"""
definition = """
From the amount each won deal was believed to be worth to the revenue and the cash it brought, every difference with its
name and its events (R-70): won amount + scope change + discount + not ordered + amended + cancelled + not delivered + not
billed + billed ahead + allowances + charges = invoiced, net; + credited = revenue; + tax + rounding + prepaid + unpaid +
customer credit + written off = cash. A difference that takes away is negative. Residual is the won amount plus all
differences less cash: it is zero, because every event moves amounts between terms and the database refuses one whose
movements do not add up to zero. Scope change and discount are what the accepted quotes, or the orders where they exceed
them, differ from the won amount; a shortfall counts as discount as far as the ordered quotes gave any. A deal without
accepted quotes has no scope change until more is ordered than it was won for: what is missing is not ordered.
"""

[parameters]
customer = { type = "customer", meaning = "only this customer" }

[columns]
opportunity_id = { type = "uuid", meaning = "the opportunity" }
title = { type = "text", meaning = "what it is about" }
customer = { type = "text", meaning = "name of the customer" }
customer_id = { type = "uuid", meaning = "the customer" }
won_on = { type = "date", meaning = "when it was won" }
currency = { type = "text", meaning = "currency of the amounts" }
won_amount = { type = "money", meaning = "what it was won for, before tax", total = true }
scope_change = { type = "money", meaning = "agreed in quotes or ordered beyond (or below) the won amount, discounts apart", total = true }
discount = { type = "money", meaning = "discounts of the ordered quotes, as far as they explain the shortfall", total = true }
not_ordered = { type = "money", meaning = "agreed, not ordered", total = true }
amended = { type = "money", meaning = "added to or taken out of orders after the sale", total = true }
cancelled = { type = "money", meaning = "released by cancelling", total = true }
not_delivered = { type = "money", meaning = "ordered, not delivered", total = true }
not_billed = { type = "money", meaning = "delivered, not billed", total = true }
billed_ahead = { type = "money", meaning = "billed before it was delivered, or beyond the order", total = true }
allowances = { type = "money", meaning = "allowances on invoices", total = true }
charges = { type = "money", meaning = "charges on invoices", total = true }
invoiced = { type = "money", meaning = "billed before tax, less what is to be billed again: the sum so far", total = true }
credited = { type = "money", meaning = "credited before tax, and not to be billed again", total = true }
revenue = { type = "money", meaning = "invoiced + credited: the revenue of the journal", total = true }
tax = { type = "money", meaning = "tax on invoices less credit notes", total = true }
rounding = { type = "money", meaning = "rounding of payable amounts", total = true }
prepaid = { type = "money", meaning = "stated on invoices as paid before", total = true }
unpaid = { type = "money", meaning = "billed, not paid", total = true }
customer_credit = { type = "money", meaning = "credited beyond what was owed: paid, and owed back", total = true }
written_off = { type = "money", meaning = "given up", total = true }
cash = { type = "money", meaning = "payments put against the deal's invoices", total = true }
residual = { type = "money", meaning = "won amount + all differences − cash: zero", total = true }
events = { type = "json", meaning = "positions of the events behind each term" }
*/
WITH customer AS (
    -- Its name as it was known then.
    SELECT DISTINCT ON (customer_id) customer_id, name
    FROM ltc_read.customer_profiles
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND name IS NOT NULL
    ORDER BY customer_id DESC, position DESC
), movement AS NOT MATERIALIZED (
    SELECT opportunity_id, currency, term, amount, event, order_id, position, effective_on
    FROM ltc_read.revenue_bridge
    WHERE effective_on <= %(as_of)s AND position <= %(known_position)s
        AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
), term AS (
    SELECT opportunity_id, currency, term, sum(amount) AS amount, min(effective_on) AS first_on,
           sum(amount) FILTER (WHERE event = 'quote.accepted.v1') AS quoted,
           sum(amount) FILTER (WHERE event = 'order.placed.v1') AS placed,
           array_agg(position ORDER BY position) AS positions
    FROM movement
    GROUP BY opportunity_id, currency, term
), deal AS (
    SELECT opportunity_id, currency,
           min(first_on) FILTER (WHERE term = 'won') AS won_on,
           coalesce(-sum(amount) FILTER (WHERE term = 'won'), 0) AS won_amount,
           coalesce(sum(quoted) FILTER (WHERE term = 'not_ordered'), 0) AS quoted,
           coalesce(-sum(placed) FILTER (WHERE term = 'not_ordered'), 0) AS ordered,
           coalesce(-sum(amount) FILTER (WHERE term = 'discount'), 0) AS discounts,
           coalesce(-sum(amount) FILTER (WHERE term = 'amended'), 0) AS amended,
           coalesce(-sum(amount) FILTER (WHERE term = 'cancelled'), 0) AS cancelled,
           coalesce(-sum(amount) FILTER (WHERE term = 'not_delivered'), 0) AS not_delivered,
           coalesce(-sum(amount) FILTER (WHERE term = 'allowances'), 0) AS allowances,
           coalesce(-sum(amount) FILTER (WHERE term = 'charges'), 0) AS charges,
           coalesce(-sum(amount) FILTER (WHERE term = 'credited'), 0) AS credited,
           coalesce(-sum(amount) FILTER (WHERE term = 'tax'), 0) AS tax,
           coalesce(-sum(amount) FILTER (WHERE term = 'rounding'), 0) AS rounding,
           coalesce(-sum(amount) FILTER (WHERE term = 'prepaid'), 0) AS prepaid,
           coalesce(-sum(amount) FILTER (WHERE term = 'unpaid'), 0) AS unpaid,
           coalesce(-sum(amount) FILTER (WHERE term = 'customer_credit'), 0) AS customer_credit,
           coalesce(-sum(amount) FILTER (WHERE term = 'written_off'), 0) AS written_off,
           coalesce(sum(amount) FILTER (WHERE term = 'cash'), 0) AS cash,
           jsonb_object_agg(term, positions) AS events
    FROM term
    GROUP BY opportunity_id, currency
), billing AS (
    -- By order, so that what one of them has billed ahead does not hide what another one has not billed.
    SELECT opportunity_id, currency, -sum(greatest(amount, 0)) AS not_billed, -sum(least(amount, 0)) AS billed_ahead
    FROM (
        SELECT opportunity_id, currency, sum(amount) AS amount
        FROM movement
        WHERE term = 'not_billed'
        GROUP BY opportunity_id, currency, order_id
    ) per_order
    GROUP BY opportunity_id, currency
), agreement AS (
    -- What quotes agreed, unless more was ordered; where there is none, the deal itself says what was agreed.
    SELECT *, min(won_on) OVER (PARTITION BY opportunity_id) AS deal_won_on,
           greatest(CASE WHEN quoted > 0 THEN quoted ELSE won_amount END, ordered) AS agreed
    FROM deal
), gap AS (
    SELECT *, agreed - won_amount AS gap, greatest(least(agreed - won_amount, 0), discounts) AS discount,
           ordered - agreed AS not_ordered
    FROM agreement
    WHERE deal_won_on IS NOT NULL
), billed AS (
    SELECT g.*, g.gap - g.discount AS scope_change, coalesce(b.not_billed, 0) AS not_billed,
           coalesce(b.billed_ahead, 0) AS billed_ahead,
           g.won_amount + g.gap + g.not_ordered + g.amended + g.cancelled + g.not_delivered
               + coalesce(b.not_billed + b.billed_ahead, 0) + g.allowances + g.charges AS invoiced
    FROM gap g
    LEFT JOIN billing b USING (opportunity_id, currency)
)
SELECT b.opportunity_id, o.title, c.name AS customer, o.customer_id, b.deal_won_on AS won_on, b.currency, b.won_amount,
       b.scope_change, b.discount, b.not_ordered, b.amended, b.cancelled, b.not_delivered, b.not_billed, b.billed_ahead,
       b.allowances, b.charges, b.invoiced, b.credited, b.invoiced + b.credited AS revenue, b.tax, b.rounding, b.prepaid,
       b.unpaid, b.customer_credit, b.written_off, b.cash,
       b.invoiced + b.credited + b.tax + b.rounding + b.prepaid + b.unpaid + b.customer_credit + b.written_off - b.cash AS residual,
       b.events
FROM billed b
LEFT JOIN ltc_read.opportunities o USING (opportunity_id)
LEFT JOIN customer c ON c.customer_id = o.customer_id
ORDER BY b.deal_won_on, c.name, b.opportunity_id, b.currency
