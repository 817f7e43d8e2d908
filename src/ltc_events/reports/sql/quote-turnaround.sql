/*
title = "Quote turnaround"
key = ["{group_by}"]
events = """
SELECT s.position,
       CASE %(group_by)s WHEN 'requester' THEN p.person WHEN 'month' THEN to_char(q.requested_on, 'YYYY-MM')
                         ELSE n.needed END AS group_by
FROM ltc_read.quote_steps s
JOIN ltc_read.quotes q USING (quote_id)
LEFT JOIN LATERAL (
    SELECT o.person FROM ltc_read.quote_steps o
    WHERE o.quote_id = s.quote_id AND o.step = 'priced' AND o.position <= %(known_position)s
    UNION ALL  -- up to its first pricing a quote counts under no requester
    SELECT NULL
    WHERE NOT EXISTS (SELECT FROM ltc_read.quote_steps o WHERE o.quote_id = s.quote_id AND o.step = 'priced' AND o.position < s.position)
) p ON %(group_by)s = 'requester'
LEFT JOIN (VALUES ('yes'), ('no')) n (needed) ON %(group_by)s = 'approval'
    AND (n.needed = 'no' OR EXISTS (SELECT FROM ltc_read.quote_steps a WHERE a.quote_id = s.quote_id AND a.approval_needed))
WHERE s.effective_on <= %(as_of)s
"""
definition = """
How long quotes take from the customer's request until they are first sent, and what holds them up (R-50, R-51): hours until a
discount beyond the requester's limit was approved or turned down, and days from sending to the customer's answer. Quotes are
those requested in the period; waiting are those not sent by the as-of date."""

[parameters]
group_by = { type = "choice", choices = ["requester", "month", "approval"], default = "requester", meaning = "who asked for the prices, month of the request, or whether an approval was needed" }
from = { type = "date", meaning = "first day of the period (none: from the beginning)" }
to = { type = "date", meaning = "last day of the period (none: up to the as-of date)" }

[columns]
"{group_by}" = { type = "text", meaning = "the requester, month, or yes or no" }
quotes = { type = "integer", total = true, meaning = "quotes requested in the period" }
sent = { type = "integer", total = true, meaning = "of them, those that were sent" }
waiting = { type = "integer", total = true, meaning = "of them, those not sent yet" }
accepted = { type = "integer", total = true, meaning = "of them, those that were accepted" }
median_days_to_sent = { type = "decimal", meaning = "half of them were sent sooner after the request" }
p90_days_to_sent = { type = "decimal", meaning = "nine of ten were sent sooner after the request" }
approvals = { type = "integer", total = true, meaning = "how often an approver decided" }
median_hours_to_approval = { type = "decimal", meaning = "half of the decisions came sooner after the pricing" }
median_days_to_answer = { type = "decimal", meaning = "half of the answers came sooner after the quote was first sent" }
*/
WITH step AS (
    SELECT position, quote_id, step, effective_on, approval_needed,
           extract(epoch FROM occurred_at - lag(occurred_at) OVER (PARTITION BY quote_id ORDER BY position)) / 3600 AS hours_since
    FROM ltc_read.quote_steps
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
),
gone AS (
    SELECT quote_id,
           max(position) FILTER (WHERE step = 'priced') AS priced,
           bool_or(approval_needed) AS approval_needed,
           min(effective_on) FILTER (WHERE step = 'sent') AS sent_on,
           min(effective_on) FILTER (WHERE step IN ('accepted', 'rejected')) AS answered_on,
           coalesce(bool_or(step = 'accepted'), false) AS accepted
    FROM step
    GROUP BY quote_id
),
quote AS (
    SELECT q.quote_id, q.requested_on, g.sent_on, g.answered_on, g.accepted,
           CASE %(group_by)s
               WHEN 'requester' THEN p.person
               WHEN 'month' THEN to_char(q.requested_on, 'YYYY-MM')
               ELSE CASE WHEN g.approval_needed THEN 'yes' ELSE 'no' END
           END AS label
    FROM ltc_read.quotes q
    JOIN gone g USING (quote_id)
    LEFT JOIN ltc_read.quote_steps p ON p.position = g.priced
    WHERE q.position <= %(known_position)s AND q.effective_on <= %(as_of)s
      AND q.requested_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
),
decision AS (
    -- While a discount waits, nothing but its pricing can come right before the decision.
    SELECT q.label, count(*) AS approvals, percentile_cont(0.5) WITHIN GROUP (ORDER BY s.hours_since::float8) AS hours
    FROM step s
    JOIN quote q USING (quote_id)
    WHERE s.step IN ('approved', 'approval_refused')
    GROUP BY q.label
),
turned AS (
    SELECT label,
           count(*) AS quotes,
           count(sent_on) AS sent,
           count(*) FILTER (WHERE sent_on IS NULL) AS waiting,
           count(*) FILTER (WHERE accepted) AS accepted,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY sent_on - requested_on) AS median_days,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY sent_on - requested_on) AS p90_days,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY answered_on - sent_on) AS answer_days
    FROM quote
    GROUP BY label
)
SELECT t.label AS group_by,
       t.quotes,
       t.sent,
       t.waiting,
       t.accepted,
       round(t.median_days::numeric, 1) AS median_days_to_sent,
       round(t.p90_days::numeric, 1) AS p90_days_to_sent,
       coalesce(d.approvals, 0) AS approvals,
       round(d.hours::numeric, 1) AS median_hours_to_approval,
       round(t.answer_days::numeric, 1) AS median_days_to_answer
FROM turned t
LEFT JOIN decision d ON d.label IS NOT DISTINCT FROM t.label
ORDER BY CASE %(group_by)s WHEN 'month' THEN t.label END, t.quotes DESC, t.label
