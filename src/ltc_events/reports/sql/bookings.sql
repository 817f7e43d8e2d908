/*
title = "Bookings"
key = ["period", "segment", "currency"]
events = """
SELECT s.position,
       CASE %(period)s WHEN 'month' THEN to_char(c.effective_on, 'YYYY-MM') WHEN 'quarter' THEN to_char(c.effective_on, 'YYYY-"Q"Q')
                       ELSE to_char(c.effective_on, 'YYYY') END AS period,
       CASE %(group_by)s WHEN 'owner' THEN d.owner WHEN 'channel' THEN o.channel END AS segment,
       c.currency
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
What was sold, by the period in which deals were closed: how many deals were won, for how much, and which part of the closed ones
that is. A deal counts where it stood on the as-of date, in the period of the day it was won or lost last: one that was opened
again by then is not booked any more. The amount is what the deal was won for, net of tax. Win rate = won ÷ (won + lost), by
number and by amount. Currencies are kept apart, and periods in which nothing was closed are left out.
"""
ties_to = """
Nothing in the books: what is won is not billed yet. In total it is the won amount of `revenue-vs-opportunity`, which leads from
there to revenue and cash.
"""

[parameters]
period = { type = "choice", choices = ["month", "quarter", "year"], default = "month", meaning = "length of a period" }
group_by = { type = "choice", choices = ["none", "owner", "channel"], default = "none", meaning = "what the deals of a period are told apart by; the owner is that of the as-of date" }
from = { type = "date", meaning = "only deals closed from this day on" }
to = { type = "date", meaning = "only deals closed up to this day" }

[columns]
period = { type = "text", meaning = "month, quarter or year in which the deals were closed" }
segment = { type = "text", meaning = "the owner or channel, where a row stands for one", optional = true }
currency = { type = "text", meaning = "currency of the amounts (ISO 4217)" }
won = { type = "integer", meaning = "deals won", total = true }
amount = { type = "money", meaning = "what they were won for", total = true }
average_amount = { type = "money", meaning = "amount ÷ won, rounded to two decimals" }
lost = { type = "integer", meaning = "deals lost", total = true }
lost_amount = { type = "money", meaning = "what those were believed to be worth", total = true }
win_rate = { type = "percent", meaning = "won in percent of won and lost deals" }
amount_win_rate = { type = "percent", meaning = "likewise, of the amounts" }
*/
WITH stood AS (
    SELECT DISTINCT ON (opportunity_id) opportunity_id, stage, effective_on, amount, currency
    FROM ltc_read.opportunity_stages
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
    ORDER BY opportunity_id, position DESC
), closed AS (
    SELECT CASE %(period)s WHEN 'month' THEN to_char(s.effective_on, 'YYYY-MM')
                           WHEN 'quarter' THEN to_char(s.effective_on, 'YYYY-"Q"Q')
                           ELSE to_char(s.effective_on, 'YYYY') END AS period,
           CASE %(group_by)s WHEN 'owner' THEN (SELECT owner FROM ltc_read.opportunity_details
               WHERE opportunity_id = o.opportunity_id AND owner IS NOT NULL AND position <= %(known_position)s AND (effective_on <= %(as_of)s OR cause = 'opened')
               ORDER BY position DESC LIMIT 1)
                             WHEN 'channel' THEN o.channel END AS segment,
           s.currency, s.amount, s.stage = 'won' AS is_won
    FROM stood s
    JOIN ltc_read.opportunities o USING (opportunity_id)
    WHERE s.stage IN ('won', 'lost')
      AND s.effective_on BETWEEN coalesce(%(from)s::date, '-infinity') AND coalesce(%(to)s::date, 'infinity')
), booked AS (
    SELECT period, segment, currency,
           count(*) FILTER (WHERE is_won) AS won,
           coalesce(sum(amount) FILTER (WHERE is_won), 0) AS amount,
           count(*) FILTER (WHERE NOT is_won) AS lost,
           coalesce(sum(amount) FILTER (WHERE NOT is_won), 0) AS lost_amount
    FROM closed
    GROUP BY period, segment, currency
)
SELECT period, segment, currency, won, amount,
       CASE WHEN won > 0 THEN round(amount / won, 2) END AS average_amount,
       lost, lost_amount,
       round(100.0 * won / (won + lost), 3) AS win_rate,
       CASE WHEN amount + lost_amount > 0 THEN round(100 * amount / (amount + lost_amount), 3) END AS amount_win_rate
FROM booked
ORDER BY period, segment, currency
