/*
title = "Stage durations"
key = ["stage"]
events = """
SELECT position, unnest(ARRAY[stage, from_stage]) AS stage FROM ltc_read.opportunity_stages WHERE effective_on <= %(as_of)s
UNION ALL
SELECT d.position, s.stage FROM ltc_read.opportunity_details d JOIN ltc_read.opportunity_stages s USING (opportunity_id)
WHERE %(owner)s::text IS NOT NULL AND d.cause = 'owner_changed' AND d.effective_on <= %(as_of)s
"""
definition = """
How long deals stay in each stage, in days between the business dates of entering and leaving it; a stage that a deal is still
in is measured to the as-of date (R-39). Long medians and many that are still open show the bottleneck. A deal that went back to
a stage entered it anew. Won and lost are no stages to stay in. A deal that was recorded to leave before it entered stayed for
no day."""

[parameters]
from = { type = "date", meaning = "only stages entered from this day on" }
to = { type = "date", meaning = "only stages entered up to this day" }
owner = { type = "text", meaning = "only deals of this owner on the as-of date" }

[columns]
stage = { type = "text", meaning = "the stage" }
entered = { type = "integer", total = true, meaning = "how often it was entered" }
still_open = { type = "integer", total = true, meaning = "of them, those not left by the as-of date" }
moved_back = { type = "integer", total = true, meaning = "how often deals came back to it from a later stage" }
average_days = { type = "decimal", meaning = "average stay" }
median_days = { type = "decimal", meaning = "half of the stays were shorter" }
p90_days = { type = "decimal", meaning = "nine of ten stays were shorter" }
longest_days = { type = "integer", meaning = "longest stay" }
*/
WITH visit AS (
    SELECT s.opportunity_id, s.stage, s.probability, s.backward, s.effective_on AS entered_on,
           lead(s.effective_on) OVER (PARTITION BY s.opportunity_id ORDER BY s.position) AS left_on
    FROM ltc_read.opportunity_stages s
    WHERE s.position <= %(known_position)s AND s.effective_on <= %(as_of)s
),
stay AS (
    SELECT v.stage, v.probability, v.backward, v.left_on IS NULL AS open,
           greatest(coalesce(v.left_on, %(as_of)s::date) - v.entered_on, 0) AS days
    FROM visit v
    JOIN ltc_read.opportunities o USING (opportunity_id)
    WHERE v.stage NOT IN ('won', 'lost')
      AND v.entered_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
      AND (%(owner)s::text IS NULL OR %(owner)s = (SELECT owner FROM ltc_read.opportunity_details
           WHERE opportunity_id = o.opportunity_id AND owner IS NOT NULL AND position <= %(known_position)s AND (effective_on <= %(as_of)s OR cause = 'opened')
           ORDER BY position DESC LIMIT 1))
)
SELECT stage,
       count(*) AS entered,
       count(*) FILTER (WHERE open) AS still_open,
       count(*) FILTER (WHERE backward) AS moved_back,
       round(avg(days), 1) AS average_days,
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY days))::numeric, 1) AS median_days,
       round((percentile_cont(0.9) WITHIN GROUP (ORDER BY days))::numeric, 1) AS p90_days,
       max(days) AS longest_days
FROM stay
GROUP BY stage
ORDER BY min(probability), stage
