/*
title = "Disputes"
key = ["period", "currency"]
events = """
WITH event AS (
    SELECT d.position, i.currency,
           CASE %(period)s WHEN 'month' THEN to_char(d.effective_on, 'YYYY-MM') WHEN 'quarter' THEN to_char(d.effective_on, 'YYYY-"Q"Q')
                           ELSE to_char(d.effective_on, 'YYYY') END AS period
    FROM ltc_read.invoice_disputes d
    JOIN ltc_read.invoices i USING (invoice_id)
    WHERE d.effective_on <= %(as_of)s AND (%(customer)s::uuid IS NULL OR d.customer_id = %(customer)s::uuid)
)
SELECT e.position, p.period, e.currency
FROM event e
JOIN (SELECT DISTINCT period, currency FROM event) p ON p.currency = e.currency AND p.period >= e.period
"""
definition = """
Disputes over invoices, period by period (R-66): how many began, what their invoices owed when they did, how many were settled and
how long those had lasted, and how many were open at the end of the period (of the as-of date, in its own). Periods in which none
began or was settled are left out: what was open before them was open after them. An invoice that is contested again is a new
dispute. Currencies are kept apart.
"""
ties_to = """
Contested is what the invoices owed in `receivables-aging` on the days their disputes began; it is a part of the receivables, and
stands in no account of its own.
"""

[parameters]
period = { type = "choice", choices = ["month", "quarter", "year"], default = "month", meaning = "length of a period" }
customer = { type = "customer", meaning = "only disputes of this customer" }

[columns]
period = { type = "text", meaning = "month, quarter or year" }
currency = { type = "text", meaning = "currency of the amounts" }
begun = { type = "integer", meaning = "disputes that began", total = true }
contested = { type = "money", meaning = "what their invoices owed when they began", total = true }
settled = { type = "integer", meaning = "disputes that were settled", total = true }
mean_days = { type = "decimal", meaning = "mean days that those had lasted" }
median_days = { type = "decimal", meaning = "half of those had lasted less" }
longest_days = { type = "integer", meaning = "the longest of those" }
open = { type = "integer", meaning = "disputes that were open at the end of the period" }
*/
WITH step AS (
    SELECT d.position, d.invoice_id, d.kind, d.effective_on, i.currency,
           CASE WHEN lag(d.kind) OVER history = 'disputed' THEN greatest(d.effective_on - lag(d.effective_on) OVER history, 0) END AS days
    FROM ltc_read.invoice_disputes d
    JOIN ltc_read.invoices i USING (invoice_id)
    WHERE d.effective_on <= %(as_of)s AND d.position <= %(known_position)s
        AND (%(customer)s::uuid IS NULL OR d.customer_id = %(customer)s::uuid)
    WINDOW history AS (PARTITION BY d.invoice_id ORDER BY d.position)
), told AS (
    SELECT CASE %(period)s WHEN 'month' THEN to_char(s.effective_on, 'YYYY-MM') WHEN 'quarter' THEN to_char(s.effective_on, 'YYYY-"Q"Q')
                           ELSE to_char(s.effective_on, 'YYYY') END AS period,
           s.currency, s.kind, CASE WHEN s.kind = 'resolved' THEN s.days END AS days, o.owed
    FROM step s
    LEFT JOIN LATERAL (
        -- As it was known when the dispute began.
        SELECT sum(m.amount) AS owed
        FROM ltc_read.open_item_movements m
        WHERE m.item_id = s.invoice_id AND m.position <= s.position AND m.effective_on <= s.effective_on
    ) o ON s.kind = 'disputed'
), period AS (
    SELECT period, currency, count(*) FILTER (WHERE kind = 'disputed') AS begun,
           coalesce(sum(owed), 0) AS contested,
           count(*) FILTER (WHERE kind = 'resolved') AS settled,
           round(avg(days), 1) AS mean_days,
           round((percentile_cont(0.5) WITHIN GROUP (ORDER BY days))::numeric, 1) AS median_days,
           max(days) AS longest_days
    FROM told
    GROUP BY period, currency
)
SELECT period, currency, begun, contested, settled, mean_days, median_days, longest_days,
       (sum(begun - settled) OVER (PARTITION BY currency ORDER BY period))::int8 AS open
FROM period
ORDER BY period, currency
