/*
title = "Order tracking"
key = ["order_id"]
events = """
SELECT position, order_id FROM ltc_read.order_movements WHERE effective_on <= %(as_of)s
UNION ALL SELECT position, order_id FROM ltc_read.shipments WHERE effective_on <= %(as_of)s
"""
definition = """
One row per order: what of it is delivered, open, cancelled and billed, by net amount, and where the last shipment is
(R-57, R-60, R-61). The status is `placed` while nothing is delivered, then `partly delivered`, `delivered` when nothing is
left to deliver, and `cancelled` when it was released before anything was delivered. Ordered is after amendments; open =
ordered − delivered − cancelled. An order is late when its requested delivery day has passed and something is open.
"""
ties_to = """
Invoiced is the line total of the orders' invoices, before allowances, charges and tax, less what is to be billed again.
Orders and deliveries stand in no account; `revenue-vs-opportunity` leads from them to revenue and cash.
"""

[parameters]
customer = { type = "customer", meaning = "only the orders of this customer" }
status = { type = "choice", choices = ["all", "open"], default = "all", meaning = "all orders, or only those with something left to deliver" }

[columns]
customer = { type = "text", meaning = "name of the customer" }
customer_id = { type = "uuid", meaning = "the customer" }
order_id = { type = "uuid", meaning = "the order" }
reference = { type = "text", meaning = "the order's names in other systems", optional = true }
quote_id = { type = "uuid", meaning = "the accepted quote it was placed from" }
placed_on = { type = "date", meaning = "when it was placed" }
requested_delivery_on = { type = "date", meaning = "when the customer wants it", optional = true }
status = { type = "text", meaning = "placed, partly delivered, delivered, cancelled" }
days_late = { type = "integer", meaning = "days since the requested delivery day, while something is open", optional = true }
currency = { type = "text", meaning = "currency of the amounts" }
ordered = { type = "money", meaning = "net amount ordered, after amendments", total = true }
delivered = { type = "money", meaning = "net amount delivered", total = true }
cancelled = { type = "money", meaning = "net amount released by cancelling", total = true }
open = { type = "money", meaning = "net amount left to deliver", total = true }
invoiced = { type = "money", meaning = "net amount billed", total = true }
last_delivery_on = { type = "date", meaning = "when something was delivered last", optional = true }
shipped_on = { type = "date", meaning = "when a shipment left last", optional = true }
carrier = { type = "text", meaning = "who carries that shipment", optional = true }
tracking = { type = "text", meaning = "the carrier's number for it", optional = true }
*/
WITH customer AS (
    -- Its name as it was known then.
    SELECT DISTINCT ON (customer_id) customer_id, name
    FROM ltc_read.customer_profiles
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND name IS NOT NULL
    ORDER BY customer_id DESC, position DESC
), line AS (
    SELECT order_id,
           sum(CASE WHEN kind IN ('ordered', 'amended') THEN quantity WHEN kind IN ('delivered', 'cancelled') THEN -quantity END)
               > 0 AS is_open,
           bool_or(kind = 'delivered') AS is_begun,
           sum(amount) FILTER (WHERE kind IN ('ordered', 'amended')) AS ordered,
           sum(amount) FILTER (WHERE kind = 'delivered') AS delivered,
           sum(amount) FILTER (WHERE kind = 'cancelled') AS cancelled,
           sum(amount) FILTER (WHERE kind = 'invoiced') AS invoiced,
           max(effective_on) FILTER (WHERE kind = 'delivered') AS last_delivery_on
    FROM ltc_read.order_movements
    WHERE effective_on <= %(as_of)s AND position <= %(known_position)s
        AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
    GROUP BY order_id, order_line
), tracked AS (
    SELECT order_id, bool_or(is_open) AS is_open, bool_or(is_begun) AS is_begun, coalesce(sum(ordered), 0) AS ordered,
           coalesce(sum(delivered), 0) AS delivered, coalesce(sum(cancelled), 0) AS cancelled,
           coalesce(sum(invoiced), 0) AS invoiced, max(last_delivery_on) AS last_delivery_on
    FROM line
    GROUP BY order_id
), shipment AS (
    SELECT DISTINCT ON (order_id) order_id, effective_on, carrier, tracking
    FROM ltc_read.shipments
    WHERE effective_on <= %(as_of)s AND position <= %(known_position)s
    ORDER BY order_id, effective_on DESC, position DESC
)
SELECT c.name AS customer, o.customer_id, o.order_id,
       (SELECT string_agg(value, ', ') FROM jsonb_each_text(o.external_references)) AS reference,
       o.quote_id, o.placed_on, o.requested_delivery_on,
       CASE WHEN t.is_open AND t.is_begun THEN 'partly delivered'
            WHEN t.is_open THEN 'placed'
            WHEN t.is_begun THEN 'delivered'
            ELSE 'cancelled' END AS status,
       CASE WHEN t.is_open AND o.requested_delivery_on < %(as_of)s THEN %(as_of)s::date - o.requested_delivery_on END AS days_late,
       o.currency, t.ordered, t.delivered, t.cancelled, t.ordered - t.delivered - t.cancelled AS open, t.invoiced,
       t.last_delivery_on, s.effective_on AS shipped_on, s.carrier, s.tracking
FROM tracked t
JOIN ltc_read.orders o USING (order_id)
LEFT JOIN customer c ON c.customer_id = o.customer_id
LEFT JOIN shipment s USING (order_id)
WHERE %(status)s = 'all' OR t.is_open
ORDER BY o.placed_on, c.name, o.order_id
