/*
title = "Channels"
key = ["channel", "origin", "campaign", "currency"]
events = """
WITH source AS (
    SELECT l.lead_id, o.opportunity_id, l.position, coalesce(c.channel, l.channel) AS channel,
           CASE %(group_by)s WHEN 'origin' THEN l.origin END AS origin, c.title AS campaign
    FROM ltc_read.leads l
    LEFT JOIN ltc_read.opportunities o USING (lead_id)
    LEFT JOIN ltc_read.campaigns c ON c.campaign_id = l.campaign_id AND %(group_by)s = 'campaign'
    WHERE l.effective_on <= %(as_of)s
    UNION ALL
    SELECT NULL, o.opportunity_id, o.position, coalesce(c.channel, o.channel),
           CASE %(group_by)s WHEN 'origin' THEN o.origin END, c.title
    FROM ltc_read.opportunities o
    LEFT JOIN ltc_read.campaigns c ON c.campaign_id = o.campaign_id AND %(group_by)s = 'campaign'
    WHERE o.lead_id IS NULL AND o.effective_on <= %(as_of)s
)
SELECT position, channel, origin, campaign FROM source
UNION ALL
SELECT t.position, s.channel, s.origin, s.campaign FROM ltc_read.lead_steps t JOIN source s USING (lead_id)
WHERE t.step = 'converted' AND t.effective_on <= %(as_of)s
UNION ALL
SELECT t.position, s.channel, s.origin, s.campaign FROM ltc_read.opportunity_stages t JOIN source s USING (opportunity_id)
WHERE 'won' IN (t.stage, t.from_stage) AND t.effective_on <= %(as_of)s
UNION ALL
SELECT t.position, t.channel, NULL, c.title FROM ltc_read.campaign_costs t
LEFT JOIN ltc_read.campaigns c ON c.campaign_id = t.campaign_id AND %(group_by)s = 'campaign'
WHERE t.effective_on <= %(as_of)s
"""
definition = """
What each channel brings and what it costs, to see where to put resources (R-7, R-11). Leads are those captured in the period;
converted and won is what became of them by the as-of date, whenever that was. Deals that were opened without a lead in the
period count for their own channel, as won but not as converted. Cost is what campaigns of the channel spent in the period, by
business date. Return is won amount less cost, in percent of the cost. Days to won run from the capture of the lead (or the
opening of a deal without one) to the win. Costs are known per campaign and channel: grouped by origin they stand in the row
without an origin. Currencies are kept apart: a channel with money in a second currency has a second row, in which the counts
are empty."""
ties_to = """
Costs and won amounts are beliefs and are not in the books: won amounts are those of the deals' winning, as in
`revenue-vs-opportunity`, which leads them over to revenue and cash.
"""

[parameters]
group_by = { type = "choice", choices = ["channel", "origin", "campaign"], default = "channel", meaning = "a row per channel, per channel and origin, or per campaign" }
from = { type = "date", meaning = "first day of the period (none: from the beginning)" }
to = { type = "date", meaning = "last day of the period (none: up to the as-of date)" }

[columns]
channel = { type = "text", meaning = "the channel" }
origin = { type = "text", optional = true, meaning = "what the source of the leads calls it" }
campaign = { type = "text", optional = true, meaning = "the campaign" }
leads = { type = "integer", total = true, meaning = "leads captured in the period" }
converted = { type = "integer", total = true, meaning = "of them, those that became opportunities" }
conversion = { type = "percent", meaning = "converted in percent of leads" }
won = { type = "integer", total = true, meaning = "deals won" }
median_days_to_won = { type = "decimal", meaning = "median days from capture to win" }
currency = { type = "text", meaning = "currency of the amounts (ISO 4217)" }
won_amount = { type = "money", total = true, meaning = "what the won deals are worth" }
cost = { type = "money", total = true, meaning = "what campaigns spent" }
cost_per_won = { type = "money", meaning = "cost for each won deal, rounded to two decimals" }
return_percent = { type = "percent", meaning = "(won amount − cost) ÷ cost" }
*/
WITH lead AS (
    SELECT l.lead_id, l.effective_on, coalesce(c.channel, l.channel) AS channel,
           CASE %(group_by)s WHEN 'origin' THEN l.origin END AS origin,
           c.campaign_id
    FROM ltc_read.leads l
    LEFT JOIN ltc_read.campaigns c ON c.campaign_id = l.campaign_id AND c.position <= %(known_position)s
        AND %(group_by)s = 'campaign'
    WHERE l.position <= %(known_position)s AND l.effective_on <= %(as_of)s
      AND l.effective_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
),
converted AS (
    SELECT lead_id
    FROM ltc_read.lead_steps
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND step = 'converted'
),
deal AS (
    SELECT o.opportunity_id, l.channel, l.origin, l.campaign_id, l.effective_on AS since
    FROM ltc_read.opportunities o
    JOIN lead l USING (lead_id)
    UNION ALL
    SELECT o.opportunity_id, coalesce(c.channel, o.channel), CASE %(group_by)s WHEN 'origin' THEN o.origin END, c.campaign_id,
           o.effective_on
    FROM ltc_read.opportunities o
    LEFT JOIN ltc_read.campaigns c ON c.campaign_id = o.campaign_id AND c.position <= %(known_position)s
        AND %(group_by)s = 'campaign'
    WHERE o.lead_id IS NULL AND o.position <= %(known_position)s AND o.effective_on <= %(as_of)s
      AND o.effective_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
),
fact AS (
    SELECT l.channel, l.origin, l.campaign_id, 1 AS leads, (c.lead_id IS NOT NULL)::int AS converted, 0 AS won,
           NULL::int AS days, NULL::text AS currency, NULL::numeric AS won_amount, NULL::numeric AS cost
    FROM lead l
    LEFT JOIN converted c USING (lead_id)
    UNION ALL
    SELECT d.channel, d.origin, d.campaign_id, 0, 0, 1, s.effective_on - d.since, s.currency, s.amount, NULL
    FROM deal d
    JOIN ltc_read.opportunity_stages s USING (opportunity_id)
    WHERE s.position <= %(known_position)s AND s.effective_on <= %(as_of)s AND s.stage = 'won'
      AND NOT EXISTS (
          -- Nothing comes behind the end of a deal, but that it is opened again.
          SELECT FROM ltc_read.opportunity_stages r
          WHERE r.opportunity_id = s.opportunity_id AND r.position > s.position
            AND r.position <= %(known_position)s AND r.effective_on <= %(as_of)s
      )
    UNION ALL
    SELECT channel, NULL, CASE %(group_by)s WHEN 'campaign' THEN campaign_id END, 0, 0, 0, NULL, currency, NULL, amount
    FROM ltc_read.campaign_costs
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
      AND effective_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
),
counted AS (
    SELECT channel, origin, campaign_id, sum(leads) AS leads, sum(converted) AS converted, sum(won) AS won,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY days) AS median_days
    FROM fact
    GROUP BY channel, origin, campaign_id
),
money AS (
    SELECT channel, origin, campaign_id, currency, sum(won_amount) AS won_amount, sum(cost) AS cost,
           row_number() OVER (
               PARTITION BY channel, origin, campaign_id ORDER BY sum(won_amount) DESC NULLS LAST, sum(cost) DESC, currency
           ) AS place
    FROM fact
    WHERE currency IS NOT NULL
    GROUP BY channel, origin, campaign_id, currency
)
SELECT n.channel,
       n.origin,
       g.title AS campaign,
       CASE WHEN coalesce(m.place, 1) = 1 THEN n.leads END AS leads,
       CASE WHEN coalesce(m.place, 1) = 1 THEN n.converted END AS converted,
       CASE WHEN coalesce(m.place, 1) = 1 THEN round(n.converted * 100.0 / nullif(n.leads, 0), 3) END AS conversion,
       CASE WHEN coalesce(m.place, 1) = 1 THEN n.won END AS won,
       CASE WHEN coalesce(m.place, 1) = 1 THEN n.median_days::numeric END AS median_days_to_won,
       m.currency,
       m.won_amount,
       m.cost,
       CASE WHEN %(group_by)s <> 'origin' THEN round(m.cost / nullif(n.won, 0), 2) END AS cost_per_won,
       CASE WHEN %(group_by)s <> 'origin'
            THEN round((coalesce(m.won_amount, 0) - m.cost) * 100 / nullif(m.cost, 0), 3) END AS return_percent
FROM counted n
LEFT JOIN money m ON m.channel = n.channel
    AND m.origin IS NOT DISTINCT FROM n.origin AND m.campaign_id IS NOT DISTINCT FROM n.campaign_id
LEFT JOIN ltc_read.campaigns g ON g.campaign_id = n.campaign_id
ORDER BY n.leads DESC, n.won DESC, n.channel, n.origin NULLS LAST, g.title, m.place
