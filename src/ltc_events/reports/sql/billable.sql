/*
title = "Billable"
key = ["order_id", "line"]
events = """
SELECT position, order_id, order_line AS line FROM ltc_read.order_movements WHERE effective_on <= %(as_of)s
UNION ALL SELECT position, order_id, line FROM ltc_read.order_line_versions WHERE effective_on <= %(as_of)s
"""
definition = """
One row per order line of which something can be billed: what was delivered (or ordered and not cancelled, by `basis`) less
what was billed, with the quote and quote line it was sold by, so that finance can pull the original (R-64, R-65). The
amount is the line's net price for that quantity. What a cancellation released is not billable; what was delivered stays so.
"""
ties_to = """
Nothing in the books before it is billed. By the basis *delivered* it is what `revenue-vs-opportunity` has as not billed, of
orders for which nothing was billed ahead of a delivery.
"""

[parameters]
basis = { type = "choice", choices = ["delivered", "ordered"], default = "delivered", meaning = "bill what is delivered, or what is ordered" }
customer = { type = "customer", meaning = "only the orders of this customer" }

[columns]
customer = { type = "text", meaning = "name of the customer" }
customer_id = { type = "uuid", meaning = "the customer" }
order_id = { type = "uuid", meaning = "the order" }
line = { type = "integer", meaning = "number of the order line" }
quote_id = { type = "uuid", meaning = "the accepted quote the order was placed from" }
quote_revision = { type = "integer", meaning = "revision of that quote" }
quote_line = { type = "integer", meaning = "number of the line in that quote" }
sku = { type = "text", meaning = "article" }
description = { type = "text", meaning = "what it is" }
placed_on = { type = "date", meaning = "when it was ordered" }
last_delivery_on = { type = "date", meaning = "when some of it was delivered last" }
ordered_quantity = { type = "decimal", meaning = "quantity ordered, after amendments, less what was cancelled" }
delivered_quantity = { type = "decimal", meaning = "quantity delivered" }
invoiced_quantity = { type = "decimal", meaning = "quantity billed, less what a credit note says is to be billed again" }
billable_quantity = { type = "decimal", meaning = "quantity that can be billed" }
currency = { type = "text", meaning = "currency of the amount" }
billable = { type = "money", meaning = "net amount that can be billed", total = true }
*/
WITH customer AS (
    -- Its name as it was known then.
    SELECT DISTINCT ON (customer_id) customer_id, name
    FROM ltc_read.customer_profiles
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND name IS NOT NULL
    ORDER BY customer_id DESC, position DESC
), line AS (
    SELECT order_id, order_line,
           coalesce(sum(quantity) FILTER (WHERE kind IN ('ordered', 'amended')), 0)
               - coalesce(sum(quantity) FILTER (WHERE kind = 'cancelled'), 0) AS ordered_quantity,
           coalesce(sum(amount) FILTER (WHERE kind IN ('ordered', 'amended')), 0)
               - coalesce(sum(amount) FILTER (WHERE kind = 'cancelled'), 0) AS ordered,
           coalesce(sum(quantity) FILTER (WHERE kind = 'delivered'), 0) AS delivered_quantity,
           coalesce(sum(amount) FILTER (WHERE kind = 'delivered'), 0) AS delivered,
           coalesce(sum(quantity) FILTER (WHERE kind = 'invoiced'), 0) AS invoiced_quantity,
           coalesce(sum(amount) FILTER (WHERE kind = 'invoiced'), 0) AS invoiced,
           max(effective_on) FILTER (WHERE kind = 'delivered') AS last_delivery_on
    FROM ltc_read.order_movements
    WHERE effective_on <= %(as_of)s AND position <= %(known_position)s
        AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
    GROUP BY order_id, order_line
), billable AS (
    SELECT *,
           CASE %(basis)s WHEN 'ordered' THEN ordered_quantity ELSE delivered_quantity END - invoiced_quantity AS billable_quantity,
           CASE %(basis)s WHEN 'ordered' THEN ordered ELSE delivered END - invoiced AS billable
    FROM line
)
SELECT c.name AS customer, o.customer_id, o.order_id, b.order_line AS line, o.quote_id, o.quote_revision, l.quote_line,
       l.sku, l.description, o.placed_on, b.last_delivery_on,
       b.ordered_quantity, b.delivered_quantity, b.invoiced_quantity, b.billable_quantity, o.currency, b.billable
FROM billable b
JOIN ltc_read.orders o USING (order_id)
LEFT JOIN LATERAL (
    SELECT quote_line, sku, description
    FROM ltc_read.order_line_versions v
    WHERE v.order_id = b.order_id AND v.line = b.order_line
        AND v.effective_on <= %(as_of)s AND v.position <= %(known_position)s
    ORDER BY v.position DESC
    LIMIT 1
) l ON true
LEFT JOIN customer c ON c.customer_id = o.customer_id
WHERE b.billable_quantity > 0
ORDER BY c.name, o.placed_on, o.order_id, b.order_line
