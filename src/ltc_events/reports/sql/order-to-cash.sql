/*
title = "Order to cash"
key = ["step"]
events = """
WITH event AS (
    SELECT position FROM ltc_read.order_movements
    WHERE effective_on <= %(as_of)s AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
    UNION
    SELECT position FROM ltc_read.open_item_movements
    WHERE item = 'invoice' AND effective_on <= %(as_of)s AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
)
SELECT position, unnest(ARRAY['order to delivery', 'delivery to invoice', 'invoice to cash', 'order to cash']) AS step FROM event
"""
definition = """
How many days pass from an order to its money, and where. Counted are orders that are through on the as-of date: nothing is left to
deliver or to bill, their invoices owe nothing, and money came for them. The steps end with the last delivery, the last invoice date
and the last value date of a payment that stands against one of the invoices, so the means of the three steps add up to that of order
to cash. A step is negative where it came first: what is billed ahead is invoiced before it is delivered. The period chooses orders
by the day of the last payment.
"""

[parameters]
from = { type = "date", meaning = "only orders paid from this day on" }
to = { type = "date", meaning = "only orders paid up to this day" }
customer = { type = "customer", meaning = "only orders of this customer" }

[columns]
step = { type = "text", meaning = "order to delivery, delivery to invoice, invoice to cash; or order to cash, which is all of them" }
orders = { type = "integer", meaning = "orders that are through" }
mean_days = { type = "decimal", meaning = "mean days of the step, to two decimals" }
median_days = { type = "decimal", meaning = "half of the orders took less" }
p90_days = { type = "decimal", meaning = "nine of ten took less" }
longest_days = { type = "integer", meaning = "the slowest" }
*/
WITH line AS (
    SELECT order_id, order_line,
           min(effective_on) FILTER (WHERE kind = 'ordered') AS ordered_on,
           max(effective_on) FILTER (WHERE kind = 'delivered') AS delivered_on,
           sum(CASE WHEN kind IN ('ordered', 'amended') THEN quantity WHEN kind IN ('delivered', 'cancelled') THEN -quantity END)
               AS to_deliver,
           coalesce(sum(quantity) FILTER (WHERE kind = 'delivered'), 0) - coalesce(sum(quantity) FILTER (WHERE kind = 'invoiced'), 0)
               AS to_bill
    FROM ltc_read.order_movements
    WHERE effective_on <= %(as_of)s AND position <= %(known_position)s
        AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
    GROUP BY order_id, order_line
), delivered AS (
    SELECT order_id, min(ordered_on) AS ordered_on, max(delivered_on) AS delivered_on
    FROM line
    GROUP BY order_id
    HAVING max(to_deliver) <= 0 AND max(to_bill) <= 0 AND max(delivered_on) IS NOT NULL
), moved AS (
    SELECT item_id, document_id, sum(amount) AS amount,
           coalesce(sum(amount) FILTER (WHERE kind IN ('paid', 'unpaid', 'unallocated')), 0) AS money
    FROM ltc_read.open_item_movements
    WHERE item = 'invoice' AND effective_on <= %(as_of)s AND position <= %(known_position)s
        AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
    GROUP BY item_id, document_id
), invoice AS (
    SELECT m.item_id AS invoice_id, sum(m.amount) AS outstanding, max(p.received_on) FILTER (WHERE m.money < 0) AS paid_on
    FROM moved m
    LEFT JOIN ltc_read.payments p ON p.payment_id = m.document_id
    GROUP BY m.item_id
), paid AS (
    SELECT o.order_id, max(o.issued_on) AS invoiced_on, max(i.paid_on) AS paid_on
    FROM invoice i
    JOIN ltc_read.invoices o USING (invoice_id)
    GROUP BY o.order_id
    HAVING max(i.outstanding) <= 0 AND max(i.paid_on) IS NOT NULL
), through AS (
    SELECT d.ordered_on, d.delivered_on, p.invoiced_on, p.paid_on
    FROM delivered d
    JOIN paid p USING (order_id)
    WHERE p.paid_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
), step AS (
    SELECT s.place, s.step, s.days
    FROM through t
    CROSS JOIN LATERAL (VALUES (1, 'order to delivery', t.delivered_on - t.ordered_on),
                               (2, 'delivery to invoice', t.invoiced_on - t.delivered_on),
                               (3, 'invoice to cash', t.paid_on - t.invoiced_on),
                               (4, 'order to cash', t.paid_on - t.ordered_on)) s (place, step, days)
)
SELECT step, count(*) AS orders, round(avg(days), 2) AS mean_days,
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY days))::numeric, 1) AS median_days,
       round((percentile_cont(0.9) WITHIN GROUP (ORDER BY days))::numeric, 1) AS p90_days,
       max(days) AS longest_days
FROM step
GROUP BY place, step
ORDER BY place
