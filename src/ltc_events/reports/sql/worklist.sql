/*
title = "Worklist"
key = ["kind", "lead_id", "follow_up_id"]
events = """
WITH concerned AS (
    SELECT position, lead_id, NULL::uuid AS follow_up_id, effective_on FROM ltc_read.lead_steps
    UNION ALL
    SELECT unnest(ARRAY[position, done_position, missed_position]), lead_id, follow_up_id,
           unnest(ARRAY[effective_on, done_on, missed_on])
    FROM ltc_read.follow_ups
)
SELECT c.position, k.kind, c.lead_id, CASE k.kind WHEN 'follow_up' THEN coalesce(c.follow_up_id, f.follow_up_id) END AS follow_up_id
FROM (VALUES ('follow_up'), ('unanswered'), ('unassigned')) k (kind)
JOIN concerned c ON c.follow_up_id IS NULL OR k.kind = 'follow_up'
LEFT JOIN ltc_read.follow_ups f ON k.kind = 'follow_up' AND c.follow_up_id IS NULL AND f.lead_id = c.lead_id
WHERE c.effective_on <= %(as_of)s
"""
definition = """
What is to be done about open leads, the most urgent first (R-16 … R-19): *follow_up*, planned and not done, overdue or due within
the days asked for; *unanswered*, without a first response; *unassigned*, without an owner. A lead can stand here for several
reasons. Leads that were rejected, disqualified or converted by the as-of date are left out. What is due by the end of the as-of
date (by now, while that day lasts) and not done is overdue."""

[parameters]
owner = { type = "text", meaning = "only what this owner has to do" }
days = { type = "integer", reach = "ahead", default = 0, meaning = "show follow-ups that are due up to so many days after the as-of date" }

[columns]
kind = { type = "text", meaning = "follow_up, unanswered or unassigned" }
due_at = { type = "time", meaning = "when it is due" }
overdue = { type = "boolean", meaning = "whether that has passed" }
owner = { type = "text", meaning = "who owns the lead" }
priority = { type = "text", meaning = "priority of the lead" }
temperature = { type = "text", meaning = "cold, warm or hot" }
score = { type = "decimal", meaning = "its last score" }
status = { type = "text", meaning = "captured (not screened yet), accepted or qualified" }
company = { type = "text", meaning = "the company" }
contact_name = { type = "text", meaning = "whom to talk to" }
phone = { type = "text", meaning = "telephone number" }
email = { type = "text", meaning = "e-mail address" }
note = { type = "text", meaning = "what the follow-up is about, or else the need" }
lead_id = { type = "uuid", meaning = "the lead" }
follow_up_id = { type = "uuid", optional = true, meaning = "the follow-up" }
*/
WITH standing AS (
    SELECT lead_id,
           bool_or(step = 'contacted') AS answered,
           CASE WHEN bool_or(step = 'qualified') THEN 'qualified' WHEN bool_or(step = 'accepted') THEN 'accepted' ELSE 'captured' END
               AS status,
           max(position) FILTER (WHERE step = 'assigned') AS assigned,
           max(position) FILTER (WHERE step = 'scored') AS scored,
           max(position) FILTER (WHERE step = 'temperature_changed') AS warmed
    FROM ltc_read.lead_steps
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
    GROUP BY lead_id
    HAVING NOT bool_or(step IN ('rejected', 'disqualified', 'converted'))
),
task AS (
    SELECT 'unanswered' AS kind, l.lead_id, l.response_due_at AS due_at, l.need AS note, NULL::uuid AS follow_up_id
    FROM ltc_read.leads l
    JOIN standing s USING (lead_id)
    WHERE l.position <= %(known_position)s AND l.effective_on <= %(as_of)s AND NOT s.answered
    UNION ALL
    SELECT 'unassigned', l.lead_id, CASE WHEN NOT s.answered THEN l.response_due_at END, l.need, NULL
    FROM ltc_read.leads l
    JOIN standing s USING (lead_id)
    WHERE l.position <= %(known_position)s AND l.effective_on <= %(as_of)s AND s.assigned IS NULL
    UNION ALL
    SELECT 'follow_up', lead_id, due_at, note, follow_up_id
    FROM ltc_read.follow_ups
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
      AND (done_position IS NULL OR done_position > %(known_position)s OR done_on > %(as_of)s)
      AND due_at < (%(as_of)s::date + 1 + %(days)s::int)::timestamp AT TIME ZONE 'UTC'
)
SELECT t.kind,
       t.due_at,
       coalesce(t.due_at < %(moment)s, false) AS overdue,
       a.person AS owner,
       l.priority,
       coalesce(w.temperature, 'cold') AS temperature,
       r.score,
       s.status,
       l.company,
       l.contact_name,
       l.phone,
       l.email,
       t.note,
       t.lead_id,
       t.follow_up_id
FROM task t
JOIN standing s USING (lead_id)
JOIN ltc_read.leads l USING (lead_id)
LEFT JOIN ltc_read.lead_steps a ON a.position = s.assigned
LEFT JOIN ltc_read.lead_steps r ON r.position = s.scored
LEFT JOIN ltc_read.lead_steps w ON w.position = s.warmed
WHERE %(owner)s::text IS NULL OR a.person = %(owner)s
ORDER BY t.due_at NULLS LAST, array_position(ARRAY['urgent', 'high', 'normal', 'low'], l.priority), r.score DESC NULLS LAST,
         t.kind, t.lead_id, t.follow_up_id
