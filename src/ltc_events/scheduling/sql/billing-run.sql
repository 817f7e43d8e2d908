-- Orders of which something can be billed, where the policy in force says that this happens by itself. By month: once
-- something of an earlier month can be. The occasion ends with the order's last movement: what comes later is another bill.
WITH policy AS (
    SELECT content ->> 'run' AS run, content ->> 'basis' AS basis
    FROM ltc_read.policies
    WHERE kind = 'billing'
    ORDER BY version DESC
    LIMIT 1
), open_order AS (
    SELECT DISTINCT l.order_id
    FROM ltc_read.order_lines l
    CROSS JOIN policy p
    WHERE p.run <> 'off'
        AND CASE p.basis WHEN 'ordered' THEN l.ordered_quantity - l.cancelled_quantity ELSE l.delivered_quantity END
            > l.invoiced_quantity
), line AS (
    SELECT m.order_id, m.customer_id, m.order_line, p.run, max(m.position) AS position,
           coalesce(sum(m.quantity * CASE WHEN m.kind = 'cancelled' THEN -1 ELSE 1 END) FILTER (
               WHERE m.effective_on < CASE p.run WHEN 'monthly' THEN date_trunc('month', %(today)s::date) ELSE %(today)s::date + 1 END
                   AND m.kind = ANY (CASE p.basis WHEN 'ordered' THEN ARRAY['ordered', 'amended', 'cancelled'] ELSE ARRAY['delivered'] END)
           ), 0) - coalesce(sum(m.quantity) FILTER (WHERE m.kind = 'invoiced'), 0) AS billable
    FROM ltc_read.order_movements m
    JOIN open_order USING (order_id)
    CROSS JOIN policy p
    GROUP BY m.order_id, m.customer_id, m.order_line, p.run
), due AS (
    SELECT order_id, customer_id, max(position) AS position
    FROM line
    GROUP BY order_id, customer_id
    HAVING bool_or(billable > 0)
)
SELECT customer_id, NULL::uuid AS subject, concat_ws('/', order_id, %(today)s::date, position) AS occasion,
       %(today)s::date::timestamp AT TIME ZONE 'UTC' AS at, jsonb_build_object('order_id', order_id, 'effective_on', %(today)s::date) AS data
FROM due
ORDER BY order_id
