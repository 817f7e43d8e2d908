/*
title = "Speed to lead"
key = ["priority"]
events = """
SELECT position, priority FROM ltc_read.leads WHERE effective_on <= %(as_of)s
UNION ALL
SELECT s.position, l.priority FROM ltc_read.lead_steps s JOIN ltc_read.leads l USING (lead_id)
WHERE s.effective_on <= %(as_of)s AND s.step IN ('contacted', 'rejected', 'converted', 'disqualified')
"""
definition = """
How fast leads get their first response, against the service level of their priority (R-17). Minutes run from the capture of a
lead to its first response. A breach is a response that came late, or none by the time it was due; a lead that was closed or
converted before that owes none any more. In-time percent is of the leads whose case is decided: answered in time, or breached.
Leads are those captured in the period; waiting are the open ones whose response is not due yet. Not recorded are those of which
nobody can know: they were taken in when their response was due already, and none of the systems that know them (the keys of
their references; none is one, too) has told of a response to any lead by then. They are no breaches."""

[parameters]
from = { type = "date", meaning = "first day of the period (none: from the beginning)" }
to = { type = "date", meaning = "last day of the period (none: up to the as-of date)" }
channel = { type = "text", meaning = "only leads of this channel" }

[columns]
priority = { type = "text", meaning = "urgent, high, normal or low" }
leads = { type = "integer", total = true, meaning = "leads captured in the period" }
answered = { type = "integer", total = true, meaning = "of them, those that were answered" }
in_time = { type = "integer", total = true, meaning = "answered within the service level" }
breaches = { type = "integer", total = true, meaning = "answered late, or not by the time it was due" }
waiting = { type = "integer", total = true, meaning = "not answered, and not due yet" }
not_recorded = { type = "integer", total = true, meaning = "taken in late, from a source that keeps no responses" }
in_time_percent = { type = "percent", meaning = "in time ÷ (in time + breaches)" }
median_minutes = { type = "decimal", meaning = "half of the answers came sooner" }
p90_minutes = { type = "decimal", meaning = "nine of ten answers came sooner" }
*/
WITH lead AS (
    SELECT lead_id, priority, occurred_at, recorded_at, response_due_at
    FROM ltc_read.leads
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
      AND effective_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
      AND (%(channel)s::text IS NULL OR channel = %(channel)s)
),
system AS (
    SELECT l.lead_id, coalesce(r.key, '') AS name
    FROM ltc_read.leads l
    LEFT JOIN LATERAL jsonb_object_keys(l.external_references) AS r (key) ON true
    WHERE l.position <= %(known_position)s AND l.effective_on <= %(as_of)s
),
response AS (
    SELECT lead_id, occurred_at, in_time
    FROM ltc_read.lead_steps
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND step = 'contacted'
),
closed AS (
    SELECT lead_id, min(occurred_at) AS occurred_at
    FROM ltc_read.lead_steps
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND step IN ('rejected', 'converted', 'disqualified')
    GROUP BY lead_id
),
silent AS (
    SELECT lead_id
    FROM system
    GROUP BY lead_id
    HAVING NOT bool_or(name IN (SELECT s.name FROM system s JOIN response USING (lead_id)))
),
judged AS (
    SELECT l.priority,
           r.in_time,
           r.lead_id IS NOT NULL AS answered,
           r.lead_id IS NULL AND l.response_due_at < coalesce(c.occurred_at, %(moment)s)
               AND (n.lead_id IS NULL OR l.recorded_at <= l.response_due_at) AS overdue,
           r.lead_id IS NULL AND l.response_due_at < coalesce(c.occurred_at, %(moment)s)
               AND n.lead_id IS NOT NULL AND l.recorded_at > l.response_due_at AS not_recorded,
           r.lead_id IS NULL AND c.lead_id IS NULL AND l.response_due_at >= %(moment)s AS waiting,
           extract(epoch FROM r.occurred_at - l.occurred_at)::float8 / 60 AS minutes
    FROM lead l
    LEFT JOIN response r USING (lead_id)
    LEFT JOIN closed c USING (lead_id)
    LEFT JOIN silent n USING (lead_id)
)
SELECT priority,
       count(*) AS leads,
       count(*) FILTER (WHERE answered) AS answered,
       count(*) FILTER (WHERE in_time) AS in_time,
       count(*) FILTER (WHERE overdue OR NOT in_time) AS breaches,
       count(*) FILTER (WHERE waiting) AS waiting,
       count(*) FILTER (WHERE not_recorded) AS not_recorded,
       round(count(*) FILTER (WHERE in_time) * 100.0 / nullif(count(*) FILTER (WHERE in_time IS NOT NULL OR overdue), 0), 3)
           AS in_time_percent,
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes))::numeric, 1) AS median_minutes,
       round((percentile_cont(0.9) WITHIN GROUP (ORDER BY minutes))::numeric, 1) AS p90_minutes
FROM judged
GROUP BY priority
ORDER BY array_position(ARRAY['urgent', 'high', 'normal', 'low'], priority)
