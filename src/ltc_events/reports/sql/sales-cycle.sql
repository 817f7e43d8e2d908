/*
title = "Sales cycle"
key = ["segment", "outcome"]
events = """
SELECT s.position,
       CASE %(group_by)s WHEN 'month' THEN to_char(c.effective_on, 'YYYY-MM') WHEN 'owner' THEN d.owner WHEN 'channel' THEN o.channel END
           AS segment,
       c.stage AS outcome
FROM (
    SELECT position, effective_on, opportunity_id FROM ltc_read.opportunity_stages
    UNION ALL
    SELECT position, effective_on, opportunity_id FROM ltc_read.opportunity_details
    WHERE %(group_by)s = 'owner' AND cause = 'owner_changed'
) s
JOIN ltc_read.opportunity_stages c ON c.opportunity_id = s.opportunity_id AND c.stage IN ('won', 'lost') AND c.position <= s.position
JOIN ltc_read.opportunities o ON o.opportunity_id = s.opportunity_id
LEFT JOIN ltc_read.opportunity_details d
    ON %(group_by)s = 'owner' AND d.opportunity_id = o.opportunity_id AND (d.owner IS NOT NULL OR d.cause = 'opened')
WHERE s.effective_on <= %(as_of)s
"""
definition = """
How many days it takes to close a deal, won and lost ones apart: from its opening, or from the capture of its lead, to the day it
was won or lost last. A deal counts where it stood on the as-of date; one that was opened again by then is not closed. A deal that
had no lead is counted from its opening either way, and one that is dated to close before it began took no day. The mean is pulled
up by the few deals that take very long; half of the deals took less than the median.
"""

[parameters]
start = { type = "choice", choices = ["opening", "lead"], default = "opening", meaning = "what days are counted from: the opening of the deal or the capture of its lead" }
group_by = { type = "choice", choices = ["none", "month", "owner", "channel"], default = "none", meaning = "what deals are told apart by, beside their outcome; month is the month of closing, the owner that of the as-of date" }
from = { type = "date", meaning = "only deals closed from this day on" }
to = { type = "date", meaning = "only deals closed up to this day" }

[columns]
segment = { type = "text", meaning = "the month, owner or channel, where a row stands for one", optional = true }
outcome = { type = "text", meaning = "won or lost" }
deals = { type = "integer", meaning = "deals closed so", total = true }
mean_days = { type = "decimal", meaning = "mean days from beginning to closing" }
median_days = { type = "decimal", meaning = "half of them took less" }
p90_days = { type = "decimal", meaning = "nine of ten took less" }
shortest_days = { type = "integer", meaning = "the quickest" }
longest_days = { type = "integer", meaning = "the slowest" }
*/
WITH stood AS (
    SELECT DISTINCT ON (opportunity_id) opportunity_id, stage, effective_on
    FROM ltc_read.opportunity_stages
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
    ORDER BY opportunity_id, position DESC
), cycle AS (
    SELECT CASE %(group_by)s WHEN 'month' THEN to_char(s.effective_on, 'YYYY-MM') WHEN 'owner' THEN (SELECT owner FROM ltc_read.opportunity_details
               WHERE opportunity_id = o.opportunity_id AND owner IS NOT NULL AND position <= %(known_position)s AND (effective_on <= %(as_of)s OR cause = 'opened')
               ORDER BY position DESC LIMIT 1)
                             WHEN 'channel' THEN o.channel END AS segment,
           s.stage AS outcome,
           greatest(s.effective_on - CASE %(start)s WHEN 'lead' THEN coalesce(l.effective_on, o.effective_on) ELSE o.effective_on END, 0)
               AS days
    FROM stood s
    JOIN ltc_read.opportunities o USING (opportunity_id)
    LEFT JOIN ltc_read.leads l ON l.lead_id = o.lead_id
    WHERE s.stage IN ('won', 'lost')
      AND s.effective_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
)
SELECT segment, outcome, count(*) AS deals, round(avg(days), 1) AS mean_days,
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY days))::numeric, 1) AS median_days,
       round((percentile_cont(0.9) WITHIN GROUP (ORDER BY days))::numeric, 1) AS p90_days,
       min(days) AS shortest_days, max(days) AS longest_days
FROM cycle
GROUP BY segment, outcome
ORDER BY segment, outcome DESC
