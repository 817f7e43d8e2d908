/*
title = "Cohorts"
key = ["cohort", "age", "currency"]
events = """
WITH event AS (
    SELECT position, customer_id, min(effective_on) OVER (PARTITION BY customer_id ORDER BY position) AS first_on
    FROM ltc_read.journal
    WHERE account = 'revenue' AND effective_on <= %(as_of)s
), cohort AS (
    -- What is back-dated before the first invoice moves a customer from one cohort to another: it concerns both.
    SELECT DISTINCT customer_id,
           CASE %(period)s WHEN 'month' THEN to_char(first_on, 'YYYY-MM') WHEN 'quarter' THEN to_char(first_on, 'YYYY-"Q"Q')
                           ELSE to_char(first_on, 'YYYY') END AS cohort
    FROM event
)
SELECT e.position, c.cohort FROM event e JOIN cohort c USING (customer_id)
"""
definition = """
Whether customers come back, and what they bring: a cohort are the customers whose first revenue, of whatever currency, lies in the
same period, and its age counts the periods since then, 0 being the first. Active are those with revenue posted in that period (an
invoice, or a credit note); retention is their part of the cohort. Revenue is what was invoiced less what was credited in the period, before
tax; per customer is the cohort's revenue in this currency up to this age, divided by all customers of the cohort. Periods in which
nobody of a cohort was active are left out.
"""
ties_to = """
Revenue is the revenue of the trial balance, per currency.
"""
books = """
SELECT 'revenue', currency, -sum(amount)
FROM ltc_read.journal
WHERE account = 'revenue' AND effective_on <= %(as_of)s AND position <= %(known_position)s
GROUP BY currency
"""

[parameters]
period = { type = "choice", choices = ["month", "quarter", "year"], default = "quarter", meaning = "length of a period" }

[columns]
cohort = { type = "text", meaning = "the period of the first revenue" }
age = { type = "integer", meaning = "periods since then" }
period = { type = "text", meaning = "the period that is so long after" }
currency = { type = "text", meaning = "currency of the amounts" }
customers = { type = "integer", meaning = "customers of the cohort" }
active = { type = "integer", meaning = "of them, those with revenue in the period" }
retention = { type = "percent", meaning = "active in percent of the customers" }
revenue = { type = "money", meaning = "invoiced less credited in the period, before tax", total = true }
per_customer = { type = "money", meaning = "revenue up to the period ÷ customers, rounded to two decimals" }

[ties]
revenue = "revenue in the trial balance"
*/
WITH posted AS (
    SELECT customer_id, currency, effective_on, -amount AS revenue,
           min(effective_on) OVER (PARTITION BY customer_id) AS first_on
    FROM ltc_read.journal
    WHERE account = 'revenue' AND effective_on <= %(as_of)s AND position <= %(known_position)s
), counted AS (
    SELECT customer_id, currency, revenue,
           CASE %(period)s WHEN 'month' THEN to_char(first_on, 'YYYY-MM') WHEN 'quarter' THEN to_char(first_on, 'YYYY-"Q"Q')
                           ELSE to_char(first_on, 'YYYY') END AS cohort,
           CASE %(period)s WHEN 'month' THEN to_char(effective_on, 'YYYY-MM') WHEN 'quarter' THEN to_char(effective_on, 'YYYY-"Q"Q')
                           ELSE to_char(effective_on, 'YYYY') END AS period,
           (CASE %(period)s WHEN 'month' THEN 12 WHEN 'quarter' THEN 4 ELSE 1 END
               * (extract(year FROM effective_on) - extract(year FROM first_on))
            + CASE %(period)s WHEN 'month' THEN extract(month FROM effective_on) - extract(month FROM first_on)
                              WHEN 'quarter' THEN extract(quarter FROM effective_on) - extract(quarter FROM first_on)
                              ELSE 0 END)::int AS age
    FROM posted
), size AS (
    SELECT cohort, count(DISTINCT customer_id) AS customers FROM counted GROUP BY cohort
), active AS (
    SELECT cohort, age, period, currency, count(DISTINCT customer_id) AS active, sum(revenue) AS revenue
    FROM counted
    GROUP BY cohort, age, period, currency
)
SELECT a.cohort, a.age, a.period, a.currency, s.customers, a.active, round(100.0 * a.active / s.customers, 3) AS retention, a.revenue,
       round(sum(a.revenue) OVER (PARTITION BY a.cohort, a.currency ORDER BY a.age) / s.customers, 2) AS per_customer
FROM active a
JOIN size s USING (cohort)
ORDER BY a.cohort, a.age, a.currency
