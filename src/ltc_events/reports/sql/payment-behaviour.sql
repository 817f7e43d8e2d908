/*
title = "Payment behaviour"
key = ["customer_id", "currency"]
events = """
SELECT position, customer_id, currency FROM ltc_read.open_item_movements WHERE item = 'invoice' AND effective_on <= %(as_of)s
"""
definition = """
How customers pay (R-67, R-69), per currency. Counted are instalments that are settled on the as-of date, and for which money came
(what credit notes or write-offs settled alone says nothing of paying); they were paid on the last value date of the payments that
stand against them, however late somebody put them there. Days to pay run from the invoice date, days late from the due date; what
was paid in advance took no day, and paid on the due date is in time. The weighted days count every day as often as money was paid.
Outstanding is what invoices owe on the as-of date, and overdue is the part of it whose due date has passed: with a customer who
does not pay at all nothing but these is shown. The period chooses by the day of payment, and leaves outstanding as it is.
"""
ties_to = """
Outstanding is the receivables of the trial balance, as in `receivables-aging`, whose overdue buckets add up to what is overdue.
"""
books = """
SELECT 'outstanding', currency, sum(amount)
FROM ltc_read.journal
WHERE account = 'receivables' AND effective_on <= %(as_of)s AND position <= %(known_position)s
    AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
GROUP BY currency
"""

[parameters]
from = { type = "date", meaning = "only instalments paid from this day on" }
to = { type = "date", meaning = "only instalments paid up to this day" }
customer = { type = "customer", meaning = "only this customer" }

[columns]
customer = { type = "text", meaning = "name of the customer" }
customer_id = { type = "uuid", meaning = "the customer" }
currency = { type = "text", meaning = "currency of the amounts" }
instalments = { type = "integer", meaning = "instalments that were paid", total = true }
paid = { type = "money", meaning = "what payments settled of them", total = true }
mean_days_to_pay = { type = "decimal", meaning = "mean days from the invoice date to the payment" }
median_days_to_pay = { type = "decimal", meaning = "half of them were paid sooner" }
weighted_days_to_pay = { type = "decimal", meaning = "mean days to pay, weighted by what was paid" }
late = { type = "integer", meaning = "of them, those paid after they were due", total = true }
late_percent = { type = "percent", meaning = "late in percent of the instalments that were paid" }
mean_days_late = { type = "decimal", meaning = "mean days from the due date to the payment, of the late ones" }
outstanding = { type = "money", meaning = "what invoices owe", total = true }
overdue = { type = "money", meaning = "outstanding on instalments whose due date has passed", total = true }

[ties]
outstanding = "receivables in the trial balance"
*/
WITH moved AS (
    -- Per instalment and document on the other side, which is what a payment may be taken back from as well.
    SELECT item_id, instalment, document_id, sum(amount) AS amount,
           coalesce(sum(amount) FILTER (WHERE kind IN ('paid', 'unpaid', 'unallocated')), 0) AS money
    FROM ltc_read.open_item_movements
    WHERE item = 'invoice' AND effective_on <= %(as_of)s AND position <= %(known_position)s
        AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
    GROUP BY item_id, instalment, document_id
), item AS (
    SELECT m.item_id, m.instalment, sum(m.amount) AS outstanding, -sum(m.money) AS paid,
           max(p.received_on) FILTER (WHERE m.money < 0) AS paid_on
    FROM moved m
    LEFT JOIN ltc_read.payments p ON p.payment_id = m.document_id
    GROUP BY m.item_id, m.instalment
), told AS (
    SELECT o.customer_id, o.currency, o.due_on, i.outstanding, i.paid,
           greatest(i.paid_on - o.document_on, 0) AS days_to_pay, i.paid_on - o.due_on AS days_late,
           i.outstanding = 0 AND i.paid > 0
               AND i.paid_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity') AS is_paid
    FROM item i
    JOIN ltc_read.open_items o USING (item_id, instalment)
), behaviour AS (
    SELECT customer_id, currency,
           count(*) FILTER (WHERE is_paid) AS instalments,
           coalesce(sum(paid) FILTER (WHERE is_paid), 0) AS paid,
           round(avg(days_to_pay) FILTER (WHERE is_paid), 1) AS mean_days,
           round((percentile_cont(0.5) WITHIN GROUP (ORDER BY days_to_pay) FILTER (WHERE is_paid))::numeric, 1) AS median_days,
           round(sum(days_to_pay * paid) FILTER (WHERE is_paid) / nullif(sum(paid) FILTER (WHERE is_paid), 0), 1) AS weighted_days,
           count(*) FILTER (WHERE is_paid AND days_late > 0) AS late,
           round(avg(days_late) FILTER (WHERE is_paid AND days_late > 0), 1) AS mean_days_late,
           sum(outstanding) AS outstanding,
           coalesce(sum(outstanding) FILTER (WHERE due_on < %(as_of)s), 0) AS overdue
    FROM told
    GROUP BY customer_id, currency
)
SELECT c.name AS customer, b.customer_id, b.currency, b.instalments, b.paid, b.mean_days AS mean_days_to_pay,
       b.median_days AS median_days_to_pay, b.weighted_days AS weighted_days_to_pay, b.late,
       round(100.0 * b.late / nullif(b.instalments, 0), 3) AS late_percent, b.mean_days_late, b.outstanding, b.overdue
FROM behaviour b
LEFT JOIN LATERAL (
    -- Its name as it was known then.
    SELECT name
    FROM ltc_read.customer_profiles p
    WHERE p.customer_id = b.customer_id AND p.name IS NOT NULL AND p.position <= %(known_position)s AND p.effective_on <= %(as_of)s
    ORDER BY p.position DESC
    LIMIT 1
) c ON true
WHERE b.instalments > 0 OR b.outstanding <> 0
ORDER BY c.name, b.customer_id, b.currency
