/*
title = "Loss reasons"
key = ["{group_by}", "currency"]
events = """
SELECT e.position,
       CASE %(group_by)s WHEN 'reason' THEN s.reason WHEN 'stage' THEN s.from_stage WHEN 'competitor' THEN s.competitor
                         WHEN 'channel' THEN o.channel ELSE d.owner END AS group_by,
       s.currency
FROM ltc_read.opportunity_stages s
JOIN ltc_read.opportunities o USING (opportunity_id)
LEFT JOIN ltc_read.opportunity_details d
    ON %(group_by)s = 'owner' AND d.opportunity_id = o.opportunity_id AND (d.owner IS NOT NULL OR d.cause = 'opened'),
LATERAL (
    SELECT s.position
    UNION ALL
    SELECT r.position FROM ltc_read.opportunity_stages r
    WHERE r.opportunity_id = s.opportunity_id AND r.position > s.position AND r.from_stage = 'lost' AND r.effective_on <= %(as_of)s
    UNION ALL
    SELECT position FROM ltc_read.opportunity_details
    WHERE %(group_by)s = 'owner' AND opportunity_id = s.opportunity_id AND cause = 'owner_changed' AND effective_on <= %(as_of)s
) e
WHERE s.stage = 'lost' AND s.effective_on <= %(as_of)s
"""
definition = """
Why deals were lost in the period, how many and worth how much (R-43): by reason, by the stage they were lost from, by
competitor, channel or owner. The share is of all lost deals, whatever their currency. Days run from the opening of the deal to
its loss. A deal that was opened again by the as-of date is not lost. Currencies are kept apart."""
ties_to = """
Nothing in the books: lost amounts are what deals were believed to be worth. What was billed on a lost deal all the same
stands in a row of its own in `revenue-vs-opportunity`.
"""

[parameters]
group_by = { type = "choice", choices = ["reason", "stage", "competitor", "channel", "owner"], default = "reason", meaning = "what a row stands for; the owner is that of the as-of date" }
from = { type = "date", meaning = "first day of the period (none: from the beginning)" }
to = { type = "date", meaning = "last day of the period (none: up to the as-of date)" }

[columns]
"{group_by}" = { type = "text", meaning = "the reason, stage, competitor, channel or owner" }
currency = { type = "text", meaning = "currency of the amount (ISO 4217)" }
lost = { type = "integer", total = true, meaning = "deals lost" }
share = { type = "percent", meaning = "in percent of all lost deals" }
amount = { type = "money", total = true, meaning = "what they were believed to be worth" }
median_days = { type = "decimal", meaning = "half of them were lost sooner after their opening" }
mostly_because = { type = "text", meaning = "the most frequent reason" }
mostly_from = { type = "text", meaning = "the stage that most of them were lost from" }
*/
WITH lost AS (
    SELECT CASE %(group_by)s
               WHEN 'reason' THEN s.reason
               WHEN 'stage' THEN s.from_stage
               WHEN 'competitor' THEN s.competitor
               WHEN 'channel' THEN o.channel
               ELSE (SELECT owner FROM ltc_read.opportunity_details
                    WHERE opportunity_id = o.opportunity_id AND owner IS NOT NULL AND position <= %(known_position)s AND (effective_on <= %(as_of)s OR cause = 'opened')
                    ORDER BY position DESC LIMIT 1)
           END AS label,
           s.currency, s.amount, s.reason, s.from_stage, s.effective_on - o.effective_on AS days
    FROM ltc_read.opportunity_stages s
    JOIN ltc_read.opportunities o USING (opportunity_id)
    WHERE s.position <= %(known_position)s AND s.effective_on <= %(as_of)s AND s.stage = 'lost'
      AND NOT EXISTS (
          -- Nothing comes behind the end of a deal, but that it is opened again.
          SELECT FROM ltc_read.opportunity_stages r
          WHERE r.opportunity_id = s.opportunity_id AND r.position > s.position
            AND r.position <= %(known_position)s AND r.effective_on <= %(as_of)s
      )
      AND s.effective_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
)
SELECT label AS group_by,
       currency,
       count(*) AS lost,
       round(count(*) * 100 / sum(count(*)) OVER (), 3) AS share,
       sum(amount) AS amount,
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY days))::numeric, 1) AS median_days,
       mode() WITHIN GROUP (ORDER BY reason) AS mostly_because,
       mode() WITHIN GROUP (ORDER BY from_stage) AS mostly_from
FROM lost
GROUP BY label, currency
ORDER BY count(*) DESC, label, currency
