/*
title = "Pipeline"
key = ["{group_by}", "opportunity_id", "currency"]
events = """
WITH moved AS (
    SELECT position, effective_on, opportunity_id, unnest(ARRAY[stage, from_stage]) AS stage FROM ltc_read.opportunity_stages
    UNION ALL
    SELECT a.position, a.effective_on, a.opportunity_id, o.stage
    FROM ltc_read.opportunity_amounts a
    JOIN ltc_read.opportunities o USING (opportunity_id)
    UNION ALL
    SELECT d.position, d.effective_on, d.opportunity_id, s.stage
    FROM ltc_read.opportunity_details d
    JOIN ltc_read.opportunity_stages s USING (opportunity_id)
    WHERE (d.cause = 'owner_changed' AND (%(group_by)s = 'owner' OR %(owner)s::text IS NOT NULL))
       OR (d.cause = 'title_changed' AND %(group_by)s = 'opportunity')
)
SELECT m.position,
       CASE %(group_by)s WHEN 'stage' THEN m.stage WHEN 'owner' THEN d.owner WHEN 'channel' THEN o.channel
                         WHEN 'month' THEN to_char(c.expected_close_on, 'YYYY-MM') ELSE d.title END AS group_by,
       CASE %(group_by)s WHEN 'opportunity' THEN m.opportunity_id END AS opportunity_id
FROM moved m
JOIN ltc_read.opportunities o USING (opportunity_id)
LEFT JOIN ltc_read.opportunity_amounts c
    ON %(group_by)s = 'month' AND c.opportunity_id = m.opportunity_id AND c.expected_close_on IS NOT NULL
LEFT JOIN ltc_read.opportunity_details d
    ON d.opportunity_id = m.opportunity_id
    AND CASE %(group_by)s WHEN 'owner' THEN d.owner IS NOT NULL OR d.cause = 'opened' WHEN 'opportunity' THEN d.title IS NOT NULL ELSE false END
WHERE m.effective_on <= %(as_of)s
"""
definition = """
The opportunities that were open on the as-of date, with what they were believed to be worth on that day: the stage they were
in, the amount, and the amount weighted by the probability that was believed then, not by what the stage counts for today
(R-38; DOMAIN: Σ amount × probability). Won and lost deals are no longer part of it. Currencies are kept apart."""
ties_to = """
Nothing in the books: open deals are beliefs, and stand in no account before something is billed.
"""

[parameters]
group_by = { type = "choice", choices = ["stage", "owner", "channel", "month", "opportunity"], default = "stage", meaning = "what a row stands for; month is the month in which a deal is expected to close" }
owner = { type = "text", meaning = "only deals of this owner on the as-of date" }
channel = { type = "text", meaning = "only deals of this channel" }

[columns]
"{group_by}" = { type = "text", meaning = "the stage, owner, channel, month or title" }
opportunity_id = { type = "uuid", optional = true, meaning = "the opportunity, where a row stands for one" }
currency = { type = "text", meaning = "currency of the amounts (ISO 4217)" }
opportunities = { type = "integer", total = true, meaning = "open deals" }
amount = { type = "money", total = true, meaning = "what they are believed to be worth" }
weighted = { type = "money", total = true, meaning = "Σ amount × probability" }
probability = { type = "percent", meaning = "weighted amount in percent of the amount" }
overdue = { type = "integer", total = true, meaning = "deals that were expected to close before the as-of date" }
*/
WITH detail AS (
    SELECT opportunity_id,
           (array_agg(title ORDER BY position DESC) FILTER (WHERE title IS NOT NULL))[1] AS title,
           (array_agg(owner ORDER BY position DESC) FILTER (WHERE owner IS NOT NULL))[1] AS owner
    FROM ltc_read.opportunity_details
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
    GROUP BY opportunity_id
),
deal AS (
    SELECT opportunity_id, d.title, d.owner, o.channel, o.currency
    FROM ltc_read.opportunities o
    JOIN detail d USING (opportunity_id)
    WHERE o.position <= %(known_position)s AND o.effective_on <= %(as_of)s
      AND (%(owner)s::text IS NULL OR d.owner = %(owner)s)
      AND (%(channel)s::text IS NULL OR o.channel = %(channel)s)
),
stage AS (
    SELECT DISTINCT ON (opportunity_id) opportunity_id, stage, probability
    FROM ltc_read.opportunity_stages
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
    ORDER BY opportunity_id DESC, position DESC
),
worth AS (
    SELECT DISTINCT ON (opportunity_id) opportunity_id, amount
    FROM ltc_read.opportunity_amounts
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND amount IS NOT NULL
    ORDER BY opportunity_id DESC, position DESC
),
closing AS (
    SELECT DISTINCT ON (opportunity_id) opportunity_id, expected_close_on
    FROM ltc_read.opportunity_amounts
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND expected_close_on IS NOT NULL
    ORDER BY opportunity_id DESC, position DESC
),
believed AS (
    SELECT CASE %(group_by)s
               WHEN 'stage' THEN s.stage
               WHEN 'owner' THEN d.owner
               WHEN 'channel' THEN d.channel
               WHEN 'month' THEN to_char(c.expected_close_on, 'YYYY-MM')
               ELSE d.title
           END AS label,
           CASE %(group_by)s WHEN 'opportunity' THEN d.opportunity_id END AS opportunity_id,
           d.currency, s.probability, w.amount, c.expected_close_on,
           w.amount * s.probability * 0.01 AS weighted
    FROM deal d
    JOIN stage s USING (opportunity_id)
    JOIN worth w USING (opportunity_id)
    LEFT JOIN closing c USING (opportunity_id)
    WHERE s.stage NOT IN ('won', 'lost')
)
SELECT label AS group_by,
       opportunity_id,
       currency,
       count(*) AS opportunities,
       sum(amount) AS amount,
       sum(weighted) AS weighted,
       round(sum(weighted) * 100 / nullif(sum(amount), 0), 3) AS probability,
       count(*) FILTER (WHERE expected_close_on < %(as_of)s) AS overdue
FROM believed
GROUP BY label, opportunity_id, currency
ORDER BY CASE %(group_by)s WHEN 'stage' THEN min(probability) END,
         CASE %(group_by)s WHEN 'month' THEN label END,
         sum(weighted) DESC, label, currency, opportunity_id
