/*
title = "Renewals due"
key = ["contract_id"]
events = """
SELECT position, contract_id FROM ltc_read.contract_versions WHERE effective_on <= %(as_of)s
"""
definition = """
Contracts whose last day is within `days` days of the as-of date, terminated ones left out (R-62). The notice day is the last
one on which notice can be given: the last day less the days of notice. A contract that renews by itself does so unless notice
is given by then; any other ends unless it is renewed. The first to need notice come first.
"""
ties_to = """
Nothing in the books: the value of a contract is what was signed, and stands in no account before something is billed.
"""

[parameters]
days = { type = "integer", reach = "ahead", default = 90, meaning = "how far to look ahead, in days" }
customer = { type = "customer", meaning = "only this customer" }

[columns]
customer = { type = "text", meaning = "name of the customer" }
customer_id = { type = "uuid", meaning = "the customer" }
contract_id = { type = "uuid", meaning = "the contract" }
title = { type = "text", meaning = "what it is about" }
starts_on = { type = "date", meaning = "its first day" }
ends_on = { type = "date", meaning = "its last day, inclusive" }
days_left = { type = "integer", meaning = "days from the as-of date to its last day" }
notice_on = { type = "date", meaning = "last day on which notice can be given" }
notice_days_left = { type = "integer", meaning = "days from the as-of date to the notice day; negative: it has passed" }
auto_renew = { type = "boolean", meaning = "does it renew by itself" }
renewals = { type = "integer", meaning = "how often it was renewed" }
currency = { type = "text", meaning = "currency of the value" }
value = { type = "money", meaning = "what it is worth", total = true }
next_step = { type = "text", meaning = "what there is to do" }
*/
WITH customer AS (
    -- Its name as it was known then.
    SELECT DISTINCT ON (customer_id) customer_id, name
    FROM ltc_read.customer_profiles
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND name IS NOT NULL
    ORDER BY customer_id DESC, position DESC
), contract AS (
    SELECT contract_id, customer_id,
           (array_agg(title ORDER BY position) FILTER (WHERE kind = 'signed'))[1] AS title,
           min(starts_on) AS starts_on,
           (array_agg(ends_on ORDER BY position DESC))[1] AS ends_on,
           (array_agg(value ORDER BY position DESC) FILTER (WHERE value IS NOT NULL))[1] AS value,
           (array_agg(currency ORDER BY position DESC) FILTER (WHERE currency IS NOT NULL))[1] AS currency,
           max(notice_days) AS notice_days,
           bool_or(auto_renew) AS auto_renew,
           count(*) FILTER (WHERE kind = 'renewed')::int AS renewals,
           bool_or(kind = 'terminated') AS is_terminated
    FROM ltc_read.contract_versions
    WHERE effective_on <= %(as_of)s AND position <= %(known_position)s
        AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
    GROUP BY contract_id, customer_id
), due AS (
    SELECT *, ends_on - %(as_of)s::date AS days_left, ends_on - notice_days AS notice_on
    FROM contract
    WHERE NOT is_terminated AND ends_on BETWEEN %(as_of)s::date AND %(as_of)s::date + %(days)s::int
)
SELECT c.name AS customer, d.customer_id, d.contract_id, d.title, d.starts_on, d.ends_on, d.days_left, d.notice_on,
       d.notice_on - %(as_of)s::date AS notice_days_left, d.auto_renew, d.renewals, d.currency, d.value,
       CASE WHEN d.auto_renew AND d.notice_on < %(as_of)s THEN 'renews by itself'
            WHEN d.auto_renew THEN 'give notice or let it renew'
            ELSE 'renew or let it end' END AS next_step
FROM due d
LEFT JOIN customer c ON c.customer_id = d.customer_id
ORDER BY d.notice_on, d.ends_on, c.name, d.contract_id
