/*
title = "Funnel"
key = ["step"]
events = """
SELECT position, step FROM ltc_read.lead_steps WHERE effective_on <= %(as_of)s
UNION ALL
SELECT s.position, 'won' FROM ltc_read.opportunity_stages s JOIN ltc_read.opportunities o USING (opportunity_id)
WHERE 'won' IN (s.stage, s.from_stage) AND o.lead_id IS NOT NULL AND s.effective_on <= %(as_of)s
"""
definition = """
How many leads reached each step from capture to won deal, and what share that is of the step before and of all captured
leads: the weakest share is the weak link (R-23). Two bases, which answer different questions: *cohort* counts the leads that
were captured in the period, wherever they had got to by the as-of date; *period* counts the leads that took the step in the
period, whenever they were captured. A lead counts once per step, and only for steps that were recorded: leads may be answered
before they are assigned, or never be assigned, so a share can be above 100 %. Won are the leads whose opportunity was won
and not opened again since."""

[parameters]
basis = { type = "choice", choices = ["cohort", "period"], default = "cohort", meaning = "leads captured in the period, or steps taken in the period" }
from = { type = "date", meaning = "first day of the period (none: from the beginning)" }
to = { type = "date", meaning = "last day of the period (none: up to the as-of date)" }
channel = { type = "text", meaning = "only leads of this channel" }

[columns]
basis = { type = "text", meaning = "what is counted: cohort or period" }
step = { type = "text", meaning = "captured, accepted, assigned, contacted, qualified, converted or won" }
leads = { type = "integer", meaning = "leads that reached the step" }
percent_of_previous = { type = "percent", meaning = "share of the leads of the step before" }
percent_of_first = { type = "percent", meaning = "share of the captured leads" }
*/
WITH step (number, name) AS (
    VALUES (1, 'captured'), (2, 'accepted'), (3, 'assigned'), (4, 'contacted'), (5, 'qualified'), (6, 'converted'), (7, 'won')
),
chosen AS (
    SELECT lead_id
    FROM ltc_read.leads
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
      AND (%(channel)s::text IS NULL OR channel = %(channel)s)
      AND (%(basis)s = 'period' OR effective_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity'))
),
taken AS (
    SELECT lead_id, step, effective_on
    FROM ltc_read.lead_steps
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
      AND step IN ('captured', 'accepted', 'assigned', 'contacted', 'qualified', 'converted')
    UNION ALL
    SELECT o.lead_id, 'won', s.effective_on
    FROM ltc_read.opportunity_stages s
    JOIN ltc_read.opportunities o USING (opportunity_id)
    WHERE s.position <= %(known_position)s AND s.effective_on <= %(as_of)s AND s.stage = 'won' AND o.lead_id IS NOT NULL
      AND NOT EXISTS (
          -- Nothing comes behind the end of a deal, but that it is opened again.
          SELECT FROM ltc_read.opportunity_stages r
          WHERE r.opportunity_id = s.opportunity_id AND r.position > s.position
            AND r.position <= %(known_position)s AND r.effective_on <= %(as_of)s
      )
),
reached AS (
    SELECT DISTINCT t.step, t.lead_id
    FROM taken t
    JOIN chosen USING (lead_id)
    WHERE %(basis)s = 'cohort' OR t.effective_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
),
counted AS (
    SELECT s.number, s.name, count(r.lead_id) AS leads
    FROM step s
    LEFT JOIN reached r ON r.step = s.name
    GROUP BY s.number, s.name
)
SELECT %(basis)s::text AS basis,
       name AS step,
       leads,
       round(leads * 100.0 / nullif(lag(leads) OVER (ORDER BY number), 0), 3) AS percent_of_previous,
       round(leads * 100.0 / nullif(first_value(leads) OVER (ORDER BY number), 0), 3) AS percent_of_first
FROM counted
ORDER BY number
