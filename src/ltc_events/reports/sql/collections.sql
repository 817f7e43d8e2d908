/*
title = "Collections worklist"
key = ["invoice_id", "instalment"]
events = """
WITH contact AS (
    SELECT position, invoice_id FROM ltc_read.invoice_disputes WHERE effective_on <= %(as_of)s
    UNION ALL SELECT position, invoice_id FROM ltc_read.payment_promises WHERE effective_on <= %(as_of)s
)
SELECT position, item_id AS invoice_id, instalment FROM ltc_read.open_item_movements WHERE effective_on <= %(as_of)s
UNION ALL
SELECT position, invoice_id, instalment FROM ltc_read.dunning_notices WHERE effective_on <= %(as_of)s
UNION ALL
SELECT c.position, c.invoice_id, o.instalment FROM contact c JOIN ltc_read.open_items o ON o.item_id = c.invoice_id
UNION ALL
SELECT p.position, o.item_id, o.instalment FROM ltc_read.policies p, ltc_read.open_items o
WHERE p.kind = 'dunning' AND p.effective_on <= %(as_of)s AND o.kind = 'invoice'
"""
definition = """
One row per overdue instalment, with what was done about it and what comes next (R-66 … R-69). A dispute stops reminders and
a promise delays them until its day has passed, or until as much was paid as was promised: once the bank takes that back, the
promise is broken, but what was put against the invoice by mistake and is un-allocated leaves the promise as it was. After a reminder the next one waits the days that policy `dunning` asks for between two, as published by the as-of date,
or as many as `days_between` says. The dunning level is
the number of reminders sent for the instalment; the last contact is the last reminder, promise or word about a dispute.
The most overdue come first.
"""
narrow = true
ties_to = """
Outstanding is that of the same instalments in `receivables-aging`, so it is the overdue part of the journal's receivables.
"""

[parameters]
days_between = { type = "integer", reach = "ahead", meaning = "days between two reminders, in place of those of the policy" }
customer = { type = "customer", meaning = "only this customer" }

[columns]
customer = { type = "text", meaning = "name of the customer" }
customer_id = { type = "uuid", meaning = "the customer" }
number = { type = "text", meaning = "number of the invoice" }
reference = { type = "text", meaning = "what other systems call the invoice", optional = true }
invoice_id = { type = "uuid", meaning = "the invoice" }
instalment = { type = "integer", meaning = "number of the instalment" }
due_on = { type = "date", meaning = "when it was due" }
days_overdue = { type = "integer", meaning = "days since then" }
currency = { type = "text", meaning = "currency of the amounts" }
outstanding = { type = "money", meaning = "what is owed on it", total = true }
claims = { type = "money", meaning = "fees and interest claimed by its reminders, and not paid", total = true }
dispute = { type = "text", meaning = "why the invoice is contested, while it is", optional = true }
promised_on = { type = "date", meaning = "day by which payment of the invoice was promised last", optional = true }
promised = { type = "money", meaning = "amount that was promised", optional = true }
dunning_level = { type = "integer", meaning = "reminders sent for the instalment" }
last_notice_on = { type = "date", meaning = "when the last of them was sent", optional = true }
last_contact_on = { type = "date", meaning = "last reminder, promise, or word about a dispute", optional = true }
next_step = { type = "text", meaning = "what to do" }
next_on = { type = "date", meaning = "when to do it" }
*/
WITH policy AS (
    SELECT coalesce(%(days_between)s::int, (
        SELECT (content ->> 'days_between')::int
        FROM ltc_read.policies
        WHERE kind = 'dunning' AND effective_on <= %(as_of)s AND position <= %(known_position)s
        ORDER BY position DESC
        LIMIT 1
    ), %(days_between_notices)s::int) AS days_between
), candidate AS (
    SELECT item_id, instalment FROM ltc_read.open_items WHERE outstanding > 0 OR last_position > %(known_position)s
    UNION
    SELECT item_id, instalment FROM ltc_read.open_item_movements WHERE effective_on > %(as_of)s
), owed AS (
    SELECT m.item_id AS invoice_id, m.instalment, sum(m.amount) AS outstanding
    FROM candidate
    JOIN ltc_read.open_item_movements m USING (item_id, instalment)
    WHERE m.item = 'invoice' AND m.effective_on <= %(as_of)s AND m.position <= %(known_position)s
        AND (%(customer)s::uuid IS NULL OR m.customer_id = %(customer)s::uuid)
    GROUP BY m.item_id, m.instalment
    HAVING sum(m.amount) > 0
), overdue AS (
    SELECT w.*, o.customer_id, o.number, o.due_on, o.currency, %(as_of)s::date - o.due_on AS days_overdue
    FROM owed w
    JOIN ltc_read.open_items o ON o.item_id = w.invoice_id AND o.instalment = w.instalment
    WHERE o.due_on < %(as_of)s
), worked AS (
    SELECT o.*, CASE WHEN d.kind = 'disputed' THEN d.note END AS dispute, p.promised_on, p.amount AS promised,
           n.level, n.last_on, greatest(d.effective_on, p.effective_on, n.last_on) AS last_contact_on,
           CASE WHEN d.kind = 'disputed' THEN 'dispute'
                WHEN p.promised_on >= %(as_of)s AND NOT k.is_kept THEN 'promise'
                WHEN %(as_of)s::date - n.last_on < y.days_between THEN 'wait'
                WHEN p.promised_on >= coalesce(n.last_on, p.promised_on) AND (k.is_returned OR NOT k.is_kept) THEN 'broken'
                ELSE 'remind' END AS state,
           y.days_between
    FROM overdue o
    CROSS JOIN policy y
    LEFT JOIN LATERAL (
        SELECT kind, note, effective_on
        FROM ltc_read.invoice_disputes
        WHERE invoice_id = o.invoice_id AND effective_on <= %(as_of)s AND position <= %(known_position)s
        ORDER BY position DESC
        LIMIT 1
    ) d ON true
    LEFT JOIN LATERAL (
        SELECT promised_on, amount, effective_on, position
        FROM ltc_read.payment_promises
        WHERE invoice_id = o.invoice_id AND effective_on <= %(as_of)s AND position <= %(known_position)s
        ORDER BY position DESC
        LIMIT 1
    ) p ON true
    CROSS JOIN LATERAL (
        -- What was promised was paid, credited or given up since, and not by mistake; and some of it went back to the payer.
        SELECT coalesce(-sum(m.amount) FILTER (WHERE m.kind <> 'unpaid') >= p.amount, false) AS is_kept,
               coalesce(bool_or(m.kind = 'unpaid'), false) AS is_returned
        FROM ltc_read.open_item_movements m
        WHERE m.item_id = o.invoice_id AND m.position > p.position
            AND m.effective_on <= %(as_of)s AND m.position <= %(known_position)s
    ) k
    CROSS JOIN LATERAL (
        SELECT count(*)::int AS level, max(effective_on) AS last_on
        FROM ltc_read.dunning_notices
        WHERE invoice_id = o.invoice_id AND instalment = o.instalment
            AND effective_on <= %(as_of)s AND position <= %(known_position)s
    ) n
)
SELECT c.name AS customer, w.customer_id, w.number,
       (SELECT string_agg(value, ', ' ORDER BY key) FROM jsonb_each_text(v.external_references)) AS reference, w.invoice_id, w.instalment, w.due_on, w.days_overdue, w.currency,
       w.outstanding, q.claims, w.dispute, w.promised_on, w.promised, w.level AS dunning_level, w.last_on AS last_notice_on, w.last_contact_on,
       CASE w.state WHEN 'dispute' THEN 'settle the dispute'
                    WHEN 'promise' THEN 'wait for the promised payment'
                    WHEN 'wait' THEN 'wait for an answer to reminder ' || w.level
                    WHEN 'broken' THEN 'promise broken: send reminder ' || w.level + 1
                    ELSE 'send reminder ' || w.level + 1 END AS next_step,
       CASE w.state WHEN 'promise' THEN least(w.promised_on, '9999-12-30') + 1
                    WHEN 'wait' THEN w.last_on + least(w.days_between, '9999-12-31' - w.last_on)
                    ELSE %(as_of)s::date END AS next_on
FROM worked w
JOIN ltc_read.invoices v ON v.invoice_id = w.invoice_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(m.amount), 0) AS claims
    FROM ltc_read.claims c
    JOIN ltc_read.open_item_movements m ON m.item_id = c.claim_id
    WHERE c.invoice_id = w.invoice_id AND c.instalment = w.instalment
        AND m.effective_on <= %(as_of)s AND m.position <= %(known_position)s
) q
LEFT JOIN LATERAL (
    -- Its name as it was known then.
    SELECT name
    FROM ltc_read.customer_profiles p
    WHERE p.customer_id = w.customer_id AND p.name IS NOT NULL AND p.position <= %(known_position)s AND p.effective_on <= %(as_of)s
    ORDER BY p.position DESC
    LIMIT 1
) c ON true
ORDER BY w.days_overdue DESC, w.outstanding DESC, w.number, w.instalment
