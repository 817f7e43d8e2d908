/*
title = "Revenue versus opportunity"
key = ["opportunity_id", "customer_id", "currency"]
events = """
SELECT position, opportunity_id, customer_id, currency FROM ltc_read.revenue_bridge WHERE effective_on <= %(as_of)s
UNION ALL
SELECT s.position, opportunity_id, s.customer_id, o.currency
FROM ltc_read.opportunity_stages s JOIN ltc_read.opportunities o USING (opportunity_id) WHERE s.effective_on <= %(as_of)s
UNION ALL
SELECT d.position, opportunity_id, d.customer_id, o.currency
FROM ltc_read.opportunity_details d JOIN ltc_read.opportunities o USING (opportunity_id)
WHERE d.cause = 'title_changed' AND d.effective_on <= %(as_of)s
"""
definition = """
From the amount each won deal was believed to be worth to the revenue and the cash it brought, every difference with its
name and its events (R-70): won amount + scope change + discount + not ordered + amended + cancelled + not delivered + not
billed + billed ahead + allowances + charges = invoiced, net; + credited = revenue; + tax + rounding + prepaid + unpaid +
customer credit + written off + claims + unapplied + in transit = cash. A difference that takes away is negative. Residual is the won amount plus
all differences less cash: it is zero, because every event moves amounts between terms and the database refuses one whose
movements do not add up to zero. Discounts are those of the ordered quotes, whole; scope change is what was agreed before
them beyond the won amount: in accepted quotes, and in orders beyond these. A deal without accepted quotes has no scope
change until more is ordered than it was won for: what is missing is not ordered. Neither is ever set off against the other.
Money that no won deal brought is money all the same, so it has rows of its own, with a won amount of zero: a deal that is
*not won* or is *lost*, once something was ordered for it; and per customer what was ordered, billed and paid with *no
opportunity*, where money stands, too, that was received and is not put against an invoice yet. Status is that of the date.
"""
ties_to = """
Revenue is the revenue of the trial balance and cash its cash, per currency, as of any date and known at any position; with
`--customer`, what the journal has of this customer.
"""
books = """
SELECT account, currency, CASE account WHEN 'revenue' THEN -sum(amount) ELSE sum(amount) END
FROM ltc_read.journal
WHERE account IN ('revenue', 'cash') AND effective_on <= %(as_of)s AND position <= %(known_position)s
    AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
GROUP BY account, currency
"""

[parameters]
customer = { type = "customer", meaning = "only this customer" }

[columns]
status = { type = "text", meaning = "won, not won, lost or no opportunity" }
opportunity_id = { type = "uuid", meaning = "the opportunity" }
title = { type = "text", meaning = "what it is about" }
customer = { type = "text", meaning = "name of the customer" }
customer_id = { type = "uuid", meaning = "the customer" }
won_on = { type = "date", meaning = "when it was won" }
currency = { type = "text", meaning = "currency of the amounts" }
won_amount = { type = "money", meaning = "what it was won for, before tax", total = true }
scope_change = { type = "money", meaning = "agreed in quotes or ordered beyond (or below) the won amount, before discounts", total = true }
discount = { type = "money", meaning = "discounts of the ordered quotes", total = true }
not_ordered = { type = "money", meaning = "agreed, not ordered", total = true }
amended = { type = "money", meaning = "added to or taken out of orders after the sale", total = true }
cancelled = { type = "money", meaning = "released by cancelling", total = true }
not_delivered = { type = "money", meaning = "ordered, not delivered", total = true }
not_billed = { type = "money", meaning = "delivered, not billed", total = true }
billed_ahead = { type = "money", meaning = "billed before it was delivered, or beyond the order", total = true }
allowances = { type = "money", meaning = "allowances on invoices", total = true }
charges = { type = "money", meaning = "charges on invoices", total = true }
invoiced = { type = "money", meaning = "billed before tax, less what is to be billed again: the sum so far", total = true }
credited = { type = "money", meaning = "credited before tax, and not to be billed again", total = true }
revenue = { type = "money", meaning = "invoiced + credited: the revenue of the journal", total = true }
tax = { type = "money", meaning = "tax on invoices less credit notes", total = true }
rounding = { type = "money", meaning = "rounding of payable amounts", total = true }
prepaid = { type = "money", meaning = "stated on invoices as paid before", total = true }
unpaid = { type = "money", meaning = "billed, not paid", total = true }
customer_credit = { type = "money", meaning = "credited beyond what was owed: paid, and owed back", total = true }
written_off = { type = "money", meaning = "given up", total = true }
claims = { type = "money", meaning = "owed beside invoices for money that went out (negative); paid for claims", total = true }
unapplied = { type = "money", meaning = "received and not put against an invoice", total = true }
in_transit = { type = "money", meaning = "received, and on its way from one customer's payment to another's; of one customer: what went less what came", total = true }
cash = { type = "money", meaning = "payments put against the deal's invoices; without a deal: and those put against none", total = true }
residual = { type = "money", meaning = "won amount + all differences − cash: zero", total = true }
events = { type = "json", meaning = "positions of the events behind each term" }

[ties]
revenue = "revenue in the trial balance"
cash = "cash in the trial balance"
*/
WITH customer AS (
    -- Its name as it was known then.
    SELECT DISTINCT ON (customer_id) customer_id, name
    FROM ltc_read.customer_profiles
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s AND name IS NOT NULL
    ORDER BY customer_id DESC, position DESC
), stage AS (
    SELECT DISTINCT ON (opportunity_id) opportunity_id, stage, effective_on
    FROM ltc_read.opportunity_stages
    WHERE position <= %(known_position)s AND effective_on <= %(as_of)s
        AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
    ORDER BY opportunity_id, position DESC
), movement AS NOT MATERIALIZED (
    -- Whose it is: the opportunity, or where there is none the customer.
    SELECT opportunity_id IS NULL AS is_direct, coalesce(opportunity_id, customer_id) AS owner_id, customer_id, currency, term,
           amount, order_id, quote_id, position
    FROM ltc_read.revenue_bridge
    WHERE effective_on <= %(as_of)s AND position <= %(known_position)s
        AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
), term AS (
    SELECT is_direct, owner_id, customer_id, currency, term, sum(amount) AS amount, array_agg(position ORDER BY position) AS positions
    FROM movement
    GROUP BY is_direct, owner_id, customer_id, currency, term
), deal AS (
    SELECT is_direct, owner_id, customer_id, currency,
           coalesce(-sum(amount) FILTER (WHERE term = 'won'), 0) AS won_amount,
           coalesce(-sum(amount) FILTER (WHERE term = 'scope_change'), 0) AS scope_change,
           coalesce(-sum(amount) FILTER (WHERE term = 'discount'), 0) AS discount,
           coalesce(-sum(amount) FILTER (WHERE term = 'amended'), 0) AS amended,
           coalesce(-sum(amount) FILTER (WHERE term = 'cancelled'), 0) AS cancelled,
           coalesce(-sum(amount) FILTER (WHERE term = 'not_delivered'), 0) AS not_delivered,
           coalesce(-sum(amount) FILTER (WHERE term = 'allowances'), 0) AS allowances,
           coalesce(-sum(amount) FILTER (WHERE term = 'charges'), 0) AS charges,
           coalesce(-sum(amount) FILTER (WHERE term = 'credited'), 0) AS credited,
           coalesce(-sum(amount) FILTER (WHERE term = 'tax'), 0) AS tax,
           coalesce(-sum(amount) FILTER (WHERE term = 'rounding'), 0) AS rounding,
           coalesce(-sum(amount) FILTER (WHERE term = 'prepaid'), 0) AS prepaid,
           coalesce(-sum(amount) FILTER (WHERE term = 'unpaid'), 0) AS unpaid,
           coalesce(-sum(amount) FILTER (WHERE term = 'customer_credit'), 0) AS customer_credit,
           coalesce(-sum(amount) FILTER (WHERE term = 'written_off'), 0) AS written_off,
           coalesce(-sum(amount) FILTER (WHERE term = 'claims'), 0) AS claims,
           coalesce(-sum(amount) FILTER (WHERE term = 'unapplied'), 0) AS unapplied,
           coalesce(-sum(amount) FILTER (WHERE term = 'in_transit'), 0) AS in_transit,
           coalesce(sum(amount) FILTER (WHERE term = 'cash'), 0) AS cash,
           bool_or(amount <> 0 AND term NOT IN ('won', 'scope_change', 'discount', 'not_ordered')) AS is_ordered,
           jsonb_object_agg(term, positions) AS events
    FROM term
    GROUP BY is_direct, owner_id, customer_id, currency
), ordering AS (
    -- By quote, so that what is ordered beyond one does not hide what is not ordered of another one: it is scope change. Where
    -- there are quotes they say what was agreed, and all that is won or ordered without one is scope change; where there are
    -- none, the deal itself says what was agreed.
    SELECT is_direct, owner_id, currency, -sum(kept) AS not_ordered, -sum(amount - kept) AS beyond
    FROM (
        SELECT is_direct, owner_id, currency, amount,
               CASE WHEN quote_id IS NULL AND bool_or(quote_id IS NOT NULL) OVER (PARTITION BY is_direct, owner_id, currency) THEN 0
                    ELSE greatest(amount, 0) END AS kept
        FROM (
            SELECT is_direct, owner_id, currency, quote_id, sum(amount) AS amount
            FROM movement
            WHERE term = 'not_ordered'
            GROUP BY is_direct, owner_id, currency, quote_id
        ) per_quote
    ) kept
    GROUP BY is_direct, owner_id, currency
), billing AS (
    -- By order, so that what one of them has billed ahead does not hide what another one has not billed.
    SELECT is_direct, owner_id, currency, -sum(greatest(amount, 0)) AS not_billed, -sum(least(amount, 0)) AS billed_ahead
    FROM (
        SELECT is_direct, owner_id, currency, sum(amount) AS amount
        FROM movement
        WHERE term = 'not_billed'
        GROUP BY is_direct, owner_id, currency, order_id
    ) per_order
    GROUP BY is_direct, owner_id, currency
), judged AS (
    SELECT d.*, s.stage, s.effective_on, d.scope_change + coalesce(a.beyond, 0) AS scope, coalesce(a.not_ordered, 0) AS not_ordered,
           coalesce(b.not_billed, 0) AS not_billed, coalesce(b.billed_ahead, 0) AS billed_ahead
    FROM deal d
    LEFT JOIN ordering a USING (is_direct, owner_id, currency)
    LEFT JOIN billing b USING (is_direct, owner_id, currency)
    LEFT JOIN stage s ON NOT d.is_direct AND s.opportunity_id = d.owner_id
    WHERE d.is_ordered OR s.stage = 'won'
), billed AS (
    SELECT *, won_amount + scope + discount + not_ordered + amended + cancelled + not_delivered + not_billed + billed_ahead
               + allowances + charges AS invoiced,
           CASE WHEN is_direct THEN 'no opportunity' WHEN stage IN ('won', 'lost') THEN stage ELSE 'not won' END AS status
    FROM judged
)
SELECT b.status, CASE WHEN NOT b.is_direct THEN b.owner_id END AS opportunity_id, o.title, c.name AS customer, b.customer_id,
       CASE WHEN b.status = 'won' THEN b.effective_on END AS won_on, b.currency, b.won_amount,
       b.scope AS scope_change, b.discount, b.not_ordered, b.amended, b.cancelled, b.not_delivered, b.not_billed, b.billed_ahead,
       b.allowances, b.charges, b.invoiced, b.credited, b.invoiced + b.credited AS revenue, b.tax, b.rounding, b.prepaid,
       b.unpaid, b.customer_credit, b.written_off, b.claims, b.unapplied, b.in_transit, b.cash,
       b.invoiced + b.credited + b.tax + b.rounding + b.prepaid + b.unpaid + b.customer_credit + b.written_off + b.claims + b.unapplied
           + b.in_transit - b.cash AS residual,
       b.events
FROM billed b
LEFT JOIN (
    SELECT DISTINCT ON (opportunity_id) opportunity_id, title
    FROM ltc_read.opportunity_details
    WHERE title IS NOT NULL AND position <= %(known_position)s AND (effective_on <= %(as_of)s OR cause = 'opened')
    ORDER BY opportunity_id, position DESC
) o ON NOT b.is_direct AND o.opportunity_id = b.owner_id
LEFT JOIN customer c ON c.customer_id = b.customer_id
ORDER BY array_position(ARRAY['won', 'not won', 'lost', 'no opportunity'], b.status), won_on, c.name, b.owner_id, b.currency
