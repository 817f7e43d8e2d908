/*
title = "Leakage and price parity"
key = ["{group_by}", "customer_id", "currency"]
key_where = { "{group_by}" = "customer_id IS NULL" }
events = """
SELECT s.position,
       CASE %(group_by)s WHEN 'sku' THEN l.sku WHEN 'requester' THEN l.requested_by END AS group_by,
       CASE %(group_by)s WHEN 'customer' THEN l.customer_id END AS customer_id,
       l.currency
FROM ltc_read.quote_steps s
JOIN ltc_read.quote_lines l USING (quote_id)
WHERE s.step IN ('priced', 'approved', 'accepted') AND s.effective_on <= %(as_of)s
"""
definition = """
What discounts cost on accepted quotes, against the list prices of the price book they were priced from: by thing sold, by
customer or by who asked for the prices, with the reasons given and who approved what was beyond the requester's limit (R-51).
Price parity is held by the price index: what the group paid, in percent of what the same things cost on average in all accepted
quotes of the period and currency; 100 is parity. For a single thing, the lowest and highest net price of one show the spread.
The period is that of the acceptance. Currencies are kept apart."""
ties_to = """
Nothing in the books: quotes are accepted, not billed. Without a group that leaves any out, the net is what accepted quotes say;
the discounts of those that were ordered are the discounts of `revenue-vs-opportunity`.
"""

[parameters]
group_by = { type = "choice", choices = ["sku", "customer", "requester"], default = "sku", meaning = "what a row stands for" }
from = { type = "date", meaning = "first day of the period (none: from the beginning)" }
to = { type = "date", meaning = "last day of the period (none: up to the as-of date)" }

[columns]
"{group_by}" = { type = "text", meaning = "the thing sold, the customer's name, or the requester" }
customer_id = { type = "uuid", optional = true, meaning = "the customer, where a row stands for one" }
currency = { type = "text", meaning = "currency of the amounts (ISO 4217)" }
quotes = { type = "integer", meaning = "accepted quotes" }
list_amount = { type = "money", total = true, meaning = "what was sold, at list prices, before tax" }
discount = { type = "money", total = true, meaning = "what the discounts took off" }
net = { type = "money", total = true, meaning = "what it was sold for, before tax" }
discount_percent = { type = "percent", meaning = "discount in percent of the list amount" }
price_index = { type = "percent", meaning = "net in percent of what the same things cost on average" }
lowest_price = { type = "money", optional = true, meaning = "lowest net price of one, rounded to four decimals, where a row stands for a thing" }
highest_price = { type = "money", optional = true, meaning = "highest net price of one, likewise" }
reasons = { type = "text", meaning = "the reasons for the discounts" }
approvers = { type = "text", meaning = "who approved discounts beyond the requester's limit" }
*/
WITH gone AS (
    SELECT quote_id,
           max(position) FILTER (WHERE step = 'priced') AS priced,
           max(position) FILTER (WHERE step = 'approved') AS approved,
           max(effective_on) FILTER (WHERE step = 'accepted') AS accepted_on
    FROM ltc_read.quote_steps
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
    GROUP BY quote_id
),
sold AS (
    SELECT q.*, a.person AS approver, q.net / q.quantity AS price,
           sum(q.net) OVER same / sum(q.quantity) OVER same * q.quantity AS average
    FROM gone g
    JOIN ltc_read.quote_lines q ON q.position = g.priced
    LEFT JOIN ltc_read.quote_steps a ON a.position = g.approved AND g.approved > g.priced
    WHERE g.accepted_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
    WINDOW same AS (PARTITION BY q.sku, q.currency)
),
grouped AS (
    SELECT s.*, d.reasons,
           CASE %(group_by)s WHEN 'sku' THEN s.sku WHEN 'requester' THEN s.requested_by ELSE s.customer_id::text END AS key
    FROM sold s
    LEFT JOIN LATERAL (
        SELECT array_agg(one ->> 'reason') AS reasons FROM jsonb_array_elements(s.discounts) AS one
    ) d ON s.discount_amount <> 0
),
reason AS (
    SELECT key, currency, string_agg(DISTINCT one, '; ') AS reasons
    FROM grouped, unnest(reasons) AS one
    GROUP BY key, currency
),
leaked AS (
    SELECT key, currency,
           CASE %(group_by)s WHEN 'customer' THEN key::uuid END AS customer_id,
           count(DISTINCT quote_id) AS quotes,
           sum(list_amount) AS list_amount, sum(discount_amount) AS discount, sum(net) AS net, sum(average) AS average,
           min(price) AS lowest, max(price) AS highest,
           string_agg(DISTINCT approver, '; ') AS approvers
    FROM grouped
    GROUP BY key, currency
)
SELECT CASE %(group_by)s WHEN 'customer' THEN c.name ELSE l.key END AS group_by,
       l.customer_id,
       l.currency,
       l.quotes,
       l.list_amount,
       l.discount,
       l.net,
       round(l.discount * 100 / nullif(l.list_amount, 0), 3) AS discount_percent,
       round(l.net * 100 / nullif(l.average, 0), 3) AS price_index,
       CASE %(group_by)s WHEN 'sku' THEN round(l.lowest, 4) END AS lowest_price,
       CASE %(group_by)s WHEN 'sku' THEN round(l.highest, 4) END AS highest_price,
       r.reasons,
       l.approvers
FROM leaked l
LEFT JOIN reason r USING (key, currency)
LEFT JOIN LATERAL (
    SELECT p.name
    FROM ltc_read.customer_profiles p
    WHERE p.customer_id = l.customer_id AND p.name IS NOT NULL
      AND p.position <= %(known_position)s AND p.effective_on <= %(as_of)s
    ORDER BY p.position DESC
    LIMIT 1
) c ON true
ORDER BY l.discount DESC, 1, l.key, l.currency
