/*
title = "On-time delivery"
key = ["{group_by}", "customer_id"]
key_where = { "{group_by}" = "customer_id IS NULL" }
events = """
SELECT m.position,
       CASE %(group_by)s WHEN 'month' THEN to_char(o.requested_delivery_on, 'YYYY-MM') WHEN 'sku' THEN v.sku END AS group_by,
       CASE WHEN %(group_by)s = 'customer' THEN m.customer_id END AS customer_id
FROM ltc_read.order_movements m
JOIN ltc_read.orders o USING (order_id)
LEFT JOIN ltc_read.order_line_versions v ON v.order_id = m.order_id AND v.line = m.order_line AND %(group_by)s = 'sku'
WHERE m.effective_on <= %(as_of)s
"""
definition = """
Whether orders were delivered by the day that the customer wanted them (R-60, R-61). Counted are orders whose requested delivery day
has passed on the as-of date, and their lines; orders without such a day, and what was cancelled or amended away before anything of
it was delivered, are left out. A line is on time when all that was ordered of it, less what was cancelled, had been delivered by the end of the requested
day; an order is on time and in full when all its lines are. Late are those delivered afterwards, missing those that are not
delivered yet. Days late run from the requested day to the last delivery, of what is late.
"""

[parameters]
group_by = { type = "choice", choices = ["month", "customer", "sku"], default = "month", meaning = "what a row stands for: the month of the requested day, the customer, or the thing sold" }
from = { type = "date", meaning = "only orders wanted from this day on" }
to = { type = "date", meaning = "only orders wanted up to this day" }

[columns]
"{group_by}" = { type = "text", meaning = "the month, the customer's name, or the thing sold" }
customer_id = { type = "uuid", meaning = "the customer, where a row stands for one", optional = true }
orders = { type = "integer", meaning = "orders that were to be delivered; by thing: those with a line of it" }
on_time = { type = "integer", meaning = "of them, those delivered on time and in full (of this thing)" }
on_time_percent = { type = "percent", meaning = "on time in percent of the orders" }
lines = { type = "integer", meaning = "order lines that were to be delivered", total = true }
lines_on_time = { type = "integer", meaning = "of them, those delivered on time and in full", total = true }
lines_late = { type = "integer", meaning = "of them, those delivered afterwards", total = true }
lines_missing = { type = "integer", meaning = "of them, those not delivered in full yet", total = true }
lines_on_time_percent = { type = "percent", meaning = "lines on time in percent of the lines" }
mean_days_late = { type = "decimal", meaning = "mean days from the requested day to the last delivery, of late lines" }
longest_days_late = { type = "integer", meaning = "the latest of them" }
*/
WITH moved AS (
    SELECT m.order_id, m.order_line, o.customer_id, o.requested_delivery_on AS wanted_on,
           sum(CASE WHEN m.kind IN ('ordered', 'amended') THEN m.quantity WHEN m.kind = 'cancelled' THEN -m.quantity END) AS wanted,
           coalesce(sum(m.quantity) FILTER (WHERE m.kind = 'delivered'), 0) AS delivered,
           coalesce(sum(m.quantity) FILTER (WHERE m.kind = 'delivered' AND m.effective_on <= o.requested_delivery_on), 0) AS in_time,
           max(m.effective_on) FILTER (WHERE m.kind = 'delivered') AS last_on
    FROM ltc_read.order_movements m
    JOIN ltc_read.orders o USING (order_id)
    WHERE m.effective_on <= %(as_of)s AND m.position <= %(known_position)s AND o.requested_delivery_on < %(as_of)s
        AND o.requested_delivery_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
    GROUP BY m.order_id, m.order_line, o.customer_id, o.requested_delivery_on
), customer AS (
    -- Its name as it was known then.
    SELECT DISTINCT ON (customer_id) customer_id, name
    FROM ltc_read.customer_profiles
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND name IS NOT NULL
    ORDER BY customer_id DESC, position DESC
), thing AS (
    SELECT DISTINCT ON (order_id, line) order_id, line, sku
    FROM ltc_read.order_line_versions
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
    ORDER BY order_id, line, position DESC
), line AS (
    SELECT CASE %(group_by)s WHEN 'month' THEN to_char(m.wanted_on, 'YYYY-MM') WHEN 'sku' THEN t.sku ELSE c.name END AS group_by,
           CASE WHEN %(group_by)s = 'customer' THEN m.customer_id END AS customer_id,
           m.order_id, m.in_time >= m.wanted AS is_on_time, m.delivered < m.wanted AS is_missing, m.last_on - m.wanted_on AS days
    FROM moved m
    LEFT JOIN customer c ON c.customer_id = m.customer_id
    LEFT JOIN thing t ON t.order_id = m.order_id AND t.line = m.order_line
    WHERE m.wanted > 0
), ordered AS (
    SELECT group_by, customer_id, order_id, bool_and(is_on_time) AS is_on_time, count(*) AS lines,
           count(*) FILTER (WHERE is_on_time) AS lines_on_time,
           count(*) FILTER (WHERE NOT is_on_time AND NOT is_missing) AS lines_late,
           count(*) FILTER (WHERE is_missing) AS lines_missing,
           sum(days) FILTER (WHERE NOT is_on_time AND NOT is_missing) AS days_late,
           max(days) FILTER (WHERE NOT is_on_time AND NOT is_missing) AS longest
    FROM line
    GROUP BY group_by, customer_id, order_id
)
SELECT group_by, customer_id, count(*) AS orders, count(*) FILTER (WHERE is_on_time) AS on_time,
       round(100.0 * count(*) FILTER (WHERE is_on_time) / count(*), 3) AS on_time_percent,
       sum(lines)::int8 AS lines, sum(lines_on_time)::int8 AS lines_on_time, sum(lines_late)::int8 AS lines_late,
       sum(lines_missing)::int8 AS lines_missing,
       round(100 * sum(lines_on_time) / sum(lines), 3) AS lines_on_time_percent,
       round(sum(days_late) / nullif(sum(lines_late), 0), 1) AS mean_days_late, max(longest) AS longest_days_late
FROM ordered
GROUP BY group_by, customer_id
ORDER BY group_by, customer_id
