/*
title = "Payments in transit"
key = ["from_payment_id", "to_payment_id"]
events = """
SELECT position, CASE WHEN kind IN ('moved_in', 'moved_back') THEN other_payment_id ELSE payment_id END AS from_payment_id,
       CASE WHEN kind IN ('moved_in', 'moved_back') THEN payment_id ELSE other_payment_id END AS to_payment_id
FROM ltc_read.payment_movements
WHERE other_payment_id IS NOT NULL AND effective_on <= %(as_of)s
"""
definition = """
Money that left one customer's payment and has not arrived at another's: one row per move that is not at its end. Positive: it was
moved out and not moved in; it waits for `payment.move_in`, or `payment.cancel_move`. Negative: the bank took it back after it had
been moved in; it waits for `payment.return` of the payment that it was moved to. Days run from the move, or from the bank's return.
"""
ties_to = """
It is payments_in_transit of the trial balance, with the sign turned, per currency, as of any date and known at any position.
"""
books = """
SELECT 'in_transit', currency, -sum(amount)
FROM ltc_read.journal
WHERE account = 'payments_in_transit' AND effective_on <= %(as_of)s AND position <= %(known_position)s
GROUP BY currency
"""

[columns]
from_customer = { type = "text", meaning = "name of the customer that it was moved from" }
from_customer_id = { type = "uuid", meaning = "that customer" }
from_payment_id = { type = "uuid", meaning = "the payment that it was moved from" }
to_customer = { type = "text", meaning = "name of the customer that it was moved to" }
to_customer_id = { type = "uuid", meaning = "that customer" }
to_payment_id = { type = "uuid", meaning = "the payment that it becomes, or became" }
received_on = { type = "date", meaning = "value date at the bank" }
reference = { type = "text", meaning = "what the payer wrote" }
payer = { type = "text", meaning = "who paid" }
reason = { type = "text", meaning = "why it was moved, or taken back" }
since = { type = "date", meaning = "when it was moved out, or taken back by the bank" }
days = { type = "integer", meaning = "days since then" }
currency = { type = "text", meaning = "currency of the amount" }
in_transit = { type = "money", meaning = "what is on its way; negative: what is to be given back", total = true }
next_step = { type = "text", meaning = "what to do" }

[ties]
in_transit = "payments_in_transit in the trial balance, with the sign turned"
*/
WITH movement AS (
    SELECT *, CASE WHEN kind IN ('moved_in', 'moved_back') THEN other_payment_id ELSE payment_id END AS from_payment_id,
           CASE WHEN kind IN ('moved_in', 'moved_back') THEN payment_id ELSE other_payment_id END AS to_payment_id
    FROM ltc_read.payment_movements
    WHERE other_payment_id IS NOT NULL AND effective_on <= %(as_of)s AND position <= %(known_position)s
), move AS (
    SELECT from_payment_id, to_payment_id, currency, sum(in_transit) AS in_transit,
           (array_agg(customer_id ORDER BY position) FILTER (WHERE kind = 'moved_out'))[1] AS from_customer_id,
           (array_agg(other_customer_id ORDER BY position DESC) FILTER (WHERE kind = 'moved_out'))[1] AS to_customer_id,
           (array_agg(reason ORDER BY position DESC) FILTER (WHERE kind IN ('moved_out', 'move_recalled')))[1] AS reason,
           (array_agg(effective_on ORDER BY position DESC) FILTER (WHERE kind IN ('moved_out', 'move_recalled')))[1] AS since
    FROM movement
    GROUP BY from_payment_id, to_payment_id, currency
    HAVING sum(in_transit) <> 0
)
SELECT f.name AS from_customer, m.from_customer_id, m.from_payment_id, t.name AS to_customer, m.to_customer_id, m.to_payment_id,
       p.received_on, p.reference, p.payer, m.reason, m.since, %(as_of)s::date - m.since AS days, m.currency, m.in_transit,
       CASE WHEN m.in_transit > 0 THEN 'move it in, or cancel the move' ELSE 'return payment ' || m.to_payment_id END AS next_step
FROM move m
LEFT JOIN ltc_read.payments p ON p.payment_id = m.from_payment_id
LEFT JOIN LATERAL (
    -- Its name as it was known then.
    SELECT name
    FROM ltc_read.customer_profiles c
    WHERE c.customer_id = m.from_customer_id AND c.name IS NOT NULL AND c.position <= %(known_position)s
        AND c.effective_on <= %(as_of)s
    ORDER BY c.position DESC
    LIMIT 1
) f ON true
LEFT JOIN LATERAL (
    SELECT name
    FROM ltc_read.customer_profiles c
    WHERE c.customer_id = m.to_customer_id AND c.name IS NOT NULL AND c.position <= %(known_position)s
        AND c.effective_on <= %(as_of)s
    ORDER BY c.position DESC
    LIMIT 1
) t ON true
ORDER BY m.since, f.name, t.name, m.from_payment_id, m.to_payment_id
