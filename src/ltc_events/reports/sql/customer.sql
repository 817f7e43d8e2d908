/*
title = "Customer"
key = ["section", "item", "currency", "position"]
key_where = { "position" = "section IN ('contact', 'timeline')" }
events = """
SELECT p.position, 'profile' AS section, f.item, NULL::bigint AS "row.position"
FROM ltc_read.customer_profiles p,
     LATERAL (VALUES ('name', p.name), ('industry', p.industry), ('size', p.size), ('country', p.country), ('region', p.region),
                     ('phone', p.phone), ('email', p.email), ('website', p.website),
                     ('registration_number', p.registration_number), ('preferences', p.preferences)) f (item, value)
WHERE p.customer_id = %(customer)s AND p.effective_on <= %(as_of)s AND f.value IS NOT NULL
UNION ALL
SELECT position, 'reference', system, NULL FROM ltc_read.customer_references
WHERE customer_id = %(customer)s AND effective_on <= %(as_of)s
UNION ALL
SELECT position, 'contact', name, position FROM ltc_read.contacts WHERE customer_id = %(customer)s AND effective_on <= %(as_of)s
UNION ALL
SELECT position, 'timeline', type, position FROM ltc_read.timeline WHERE customer_id = %(customer)s AND effective_on <= %(as_of)s
UNION ALL
SELECT m.position, 'amount', unnest(m.items), NULL
FROM (
    SELECT position, effective_on, customer_id, ARRAY['won deals', 'pipeline', 'weighted pipeline'] AS items
    FROM ltc_read.opportunity_stages
    UNION ALL
    SELECT position, effective_on, customer_id, ARRAY['won deals', 'pipeline', 'weighted pipeline']
    FROM ltc_read.opportunity_amounts
    UNION ALL
    SELECT position, effective_on, customer_id, ARRAY['quotes sent'] FROM ltc_read.quote_steps
    UNION ALL
    SELECT position, effective_on, customer_id, ARRAY['to deliver', 'to bill'] FROM ltc_read.order_movements
    UNION ALL
    SELECT position, effective_on, customer_id,
           CASE item WHEN 'invoice' THEN ARRAY['receivables', 'overdue'] WHEN 'claim' THEN ARRAY['claims'] ELSE ARRAY['unapplied cash and credits'] END
    FROM ltc_read.open_item_movements
) m
WHERE m.customer_id = %(customer)s AND m.effective_on <= %(as_of)s
"""
sections = "section"
narrow = true
definition = """
All about one customer on one page (R-24, R-25): the profile as it was known, what other systems call it, the people who speak for
it, the open amounts from pipeline to receivables, and the timeline of what happened, newest first. Amounts, per currency: *won
deals*; *pipeline* and *weighted pipeline* of open deals; *quotes sent* and not answered; *to deliver* and *to bill*, net, of
orders; *receivables*, with what of them is *overdue*; *claims* beside invoices: fees, interest and
returned payments; and *unapplied cash and credits*, which stand to the customer's credit and
are negative. Everything is as of the date, and as known at the position."""
ties_to = """
Receivables are what `receivables-aging --customer` has outstanding on invoices, and so the customer's part of the journal's
receivables; unapplied cash and credits are his part of its accounts unapplied_cash and customer_credits. Deals, quotes and
orders stand in no account.
"""

[parameters]
customer = { type = "customer", required = true, meaning = "the customer: its id, its name, or what another system calls it" }
limit = { type = "integer", default = 50, meaning = "so many events of the timeline at most" }

[columns]
section = { type = "text", meaning = "profile, reference, contact, amount or timeline" }
item = { type = "text", meaning = "the field, system, person, kind of amount, or event" }
date = { type = "date", optional = true, meaning = "business date" }
detail = { type = "text", optional = true, meaning = "its value, or what happened" }
count = { type = "integer", optional = true, meaning = "how many deals, quotes, orders or items the amount is made of" }
currency = { type = "text", optional = true, meaning = "currency of the amount (ISO 4217)" }
amount = { type = "money", optional = true, meaning = "the amount" }
actor = { type = "text", optional = true, meaning = "who did it" }
position = { type = "integer", optional = true, meaning = "position of the event in the log" }
*/
WITH profile AS (
    SELECT f.place, f.item, max(p.position) AS position
    FROM ltc_read.customer_profiles p,
         LATERAL (VALUES (1, 'name', p.name), (2, 'industry', p.industry), (3, 'size', p.size), (4, 'country', p.country),
                         (5, 'region', p.region), (6, 'phone', p.phone), (7, 'email', p.email), (8, 'website', p.website),
                         (9, 'registration_number', p.registration_number), (10, 'preferences', p.preferences)
         ) AS f (place, item, value)
    WHERE p.customer_id = %(customer)s AND p.position <= %(known_position)s AND p.effective_on <= %(as_of)s
      AND f.value IS NOT NULL
    GROUP BY f.place, f.item
),
reference AS (
    SELECT system, max(position) AS position
    FROM ltc_read.customer_references
    WHERE customer_id = %(customer)s AND position <= %(known_position)s AND effective_on <= %(as_of)s
    GROUP BY system
),
deal AS (
    SELECT o.currency, s.stage, s.probability, w.amount
    FROM ltc_read.opportunities o,
         LATERAL (
             SELECT stage, probability
             FROM ltc_read.opportunity_stages
             WHERE opportunity_id = o.opportunity_id AND position <= %(known_position)s AND effective_on <= %(as_of)s
             ORDER BY position DESC
             LIMIT 1
         ) s,
         LATERAL (
             SELECT amount
             FROM ltc_read.opportunity_amounts
             WHERE opportunity_id = o.opportunity_id AND position <= %(known_position)s AND effective_on <= %(as_of)s
               AND amount IS NOT NULL
             ORDER BY position DESC
             LIMIT 1
         ) w
    WHERE o.customer_id = %(customer)s
),
quote AS (
    SELECT q.quote_id,
           q.currency,
           (array_agg(s.step ORDER BY s.position DESC))[1] AS step,
           (array_agg(s.net ORDER BY s.position DESC) FILTER (WHERE s.step = 'priced'))[1] AS net
    FROM ltc_read.quotes q
    JOIN ltc_read.quote_steps s USING (quote_id)
    WHERE q.customer_id = %(customer)s AND s.position <= %(known_position)s AND s.effective_on <= %(as_of)s
    GROUP BY q.quote_id, q.currency
),
sold AS (
    SELECT o.order_id, o.currency,
           sum(CASE m.kind WHEN 'ordered' THEN m.amount WHEN 'amended' THEN m.amount
                           WHEN 'delivered' THEN -m.amount WHEN 'cancelled' THEN -m.amount ELSE 0 END) AS to_deliver,
           sum(CASE m.kind WHEN 'delivered' THEN m.amount WHEN 'invoiced' THEN -m.amount ELSE 0 END) AS to_bill
    FROM ltc_read.orders o
    JOIN ltc_read.order_movements m USING (order_id)
    WHERE o.customer_id = %(customer)s AND m.position <= %(known_position)s AND m.effective_on <= %(as_of)s
    GROUP BY o.order_id, o.currency
),
item AS (
    SELECT m.item, m.currency, i.due_on, sum(m.amount) AS outstanding
    FROM ltc_read.open_item_movements m
    JOIN ltc_read.open_items i USING (item_id, instalment)
    WHERE m.customer_id = %(customer)s AND m.position <= %(known_position)s AND m.effective_on <= %(as_of)s
    GROUP BY m.item_id, m.instalment, m.item, m.currency, i.due_on
    HAVING sum(m.amount) <> 0
),
amount (place, item, count, currency, amount) AS (
    SELECT 1, 'won deals', count(*), currency, sum(amount) FROM deal WHERE stage = 'won' GROUP BY currency
    UNION ALL
    SELECT 2, 'pipeline', count(*), currency, sum(amount) FROM deal WHERE stage NOT IN ('won', 'lost') GROUP BY currency
    UNION ALL
    SELECT 3, 'weighted pipeline', count(*), currency, sum(amount * probability * 0.01)
    FROM deal WHERE stage NOT IN ('won', 'lost') GROUP BY currency
    UNION ALL
    SELECT 4, 'quotes sent', count(*), currency, sum(net) FROM quote WHERE step = 'sent' GROUP BY currency
    UNION ALL
    SELECT 5, 'to deliver', count(*), currency, sum(to_deliver) FROM sold WHERE to_deliver > 0 GROUP BY currency
    UNION ALL
    SELECT 6, 'to bill', count(*), currency, sum(to_bill) FROM sold WHERE to_bill > 0 GROUP BY currency
    UNION ALL
    SELECT 7, 'receivables', count(*), currency, sum(outstanding) FROM item WHERE item = 'invoice' GROUP BY currency
    UNION ALL
    SELECT 8, 'overdue', count(*), currency, sum(outstanding)
    FROM item WHERE item = 'invoice' AND due_on < %(as_of)s GROUP BY currency
    UNION ALL
    SELECT 9, 'unapplied cash and credits', count(*), currency, sum(outstanding)
    FROM item WHERE item IN ('payment', 'credit_note') GROUP BY currency
    UNION ALL
    SELECT 10, 'claims', count(*), currency, sum(outstanding) FROM item WHERE item = 'claim' GROUP BY currency
),
happened AS (
    SELECT type, effective_on, summary, actor, position, row_number() OVER (ORDER BY position DESC, part DESC) AS place
    FROM ltc_read.timeline
    WHERE customer_id = %(customer)s AND position <= %(known_position)s AND effective_on <= %(as_of)s
    ORDER BY position DESC, part DESC
    LIMIT %(limit)s
),
page (part, section, place, item, date, detail, count, currency, amount, actor, position) AS (
    SELECT 1, 'profile', f.place, f.item, p.effective_on,
           CASE f.item
               WHEN 'name' THEN p.name WHEN 'industry' THEN p.industry WHEN 'size' THEN p.size WHEN 'country' THEN p.country
               WHEN 'region' THEN p.region WHEN 'phone' THEN p.phone WHEN 'email' THEN p.email WHEN 'website' THEN p.website
               WHEN 'registration_number' THEN p.registration_number ELSE p.preferences
           END,
           NULL::bigint, NULL, NULL::numeric, NULL, p.position
    FROM profile f
    JOIN ltc_read.customer_profiles p USING (position)
    UNION ALL
    SELECT 2, 'reference', 0, r.system, c.effective_on, c.reference, NULL, NULL, NULL, NULL, r.position
    FROM reference r
    JOIN ltc_read.customer_references c USING (position, system)
    UNION ALL
    SELECT 3, 'contact', 0, name, effective_on, concat_ws(', ', role, phone, email), NULL, NULL, NULL, NULL, position
    FROM ltc_read.contacts
    WHERE customer_id = %(customer)s AND position <= %(known_position)s AND effective_on <= %(as_of)s
    UNION ALL
    SELECT 4, 'amount', place, item, NULL, NULL, count, currency, amount, NULL, NULL FROM amount
    UNION ALL
    SELECT 5, 'timeline', place, type, effective_on, summary, NULL, NULL, NULL, actor, position FROM happened
)
SELECT section, item, date, detail, count, currency, amount, actor, position
FROM page
ORDER BY part, place, CASE WHEN part < 5 THEN item END, currency, position DESC
