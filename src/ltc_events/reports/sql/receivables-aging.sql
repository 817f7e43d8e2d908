/*
title = "Receivables aging"
key = ["customer_id", "document_id", "instalment", "currency"]
events = """
SELECT position, customer_id, CASE %(per)s WHEN 'instalment' THEN item_id END AS document_id,
       CASE %(per)s WHEN 'instalment' THEN nullif(instalment, 0) END AS instalment, currency
FROM ltc_read.open_item_movements
"""
definition = """
What is outstanding by age (R-69): one row per instalment, or one per customer. Days run from the due date, or from the
invoice date, by `basis`, to the as-of date; the buckets are inclusive: not due (up to 0 days), 1–30, 31–60, 61–90, 91–120,
over 120. Unapplied cash, and credit notes beyond what their invoice owed, are negative rows that age from their own date.
What is dated after the as-of date but known already is in `future`, never in paid: payments, credits and write-offs less
what undid them; remaining = outstanding − future. So a settled instalment that a bank return opens again later has a row: it
has nothing outstanding, a negative future, and remains. Instalments that are settled and stay so are left out, and so are
invoices and claims that are dated after the as-of date.
"""
narrow = true
ties_to = """
Receivables are the receivables of the trial balance, unapplied cash its unapplied_cash and customer credits its
customer_credits, per currency, as of any date and known at any position; with `--customer`, what the journal has of this
customer. Together they are outstanding, and the buckets add up to it.
"""
books = """
SELECT account, currency, sum(amount)
FROM ltc_read.journal
WHERE account IN ('receivables', 'unapplied_cash', 'customer_credits') AND effective_on <= %(as_of)s AND position <= %(known_position)s
    AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s::uuid)
GROUP BY account, currency
"""

[parameters]
basis = { type = "choice", choices = ["due", "invoice"], default = "due", meaning = "what days are counted from: the due date or the invoice date" }
per = { type = "choice", choices = ["instalment", "customer"], default = "instalment", meaning = "what a row stands for" }
customer = { type = "customer", meaning = "only this customer" }

[columns]
customer = { type = "text", meaning = "name of the customer" }
customer_id = { type = "uuid", meaning = "the customer" }
document = { type = "text", meaning = "invoice, payment (unapplied cash), credit_note or claim (fee, interest, returned payment)", optional = true }
document_id = { type = "uuid", meaning = "that invoice, payment, credit note or claim", optional = true }
number = { type = "text", meaning = "number of the document; reference of the payment or claim", optional = true }
reference = { type = "text", meaning = "what other systems call the invoice or payment", optional = true }
instalment = { type = "integer", meaning = "number of the instalment of an invoice", optional = true }
document_on = { type = "date", meaning = "date of the document", optional = true }
due_on = { type = "date", meaning = "when the instalment is due", optional = true }
days = { type = "integer", meaning = "days since it was due, or since the date of the document, by basis", optional = true }
currency = { type = "text", meaning = "currency of the amounts" }
invoiced = { type = "money", meaning = "amount of the instalment or claim", total = true }
paid = { type = "money", meaning = "paid on it, by money or by another invoice's credit note, by the as-of date; of a payment: its unapplied cash", total = true }
credited = { type = "money", meaning = "credited on it by then; of a credit note: what stands alone", total = true }
written_off = { type = "money", meaning = "given up by then", total = true }
outstanding = { type = "money", meaning = "invoiced − paid − credited − written off", total = true }
receivables = { type = "money", meaning = "outstanding on invoices", total = true, optional = true }
unapplied_cash = { type = "money", meaning = "outstanding as unapplied cash (negative)", total = true, optional = true }
customer_credits = { type = "money", meaning = "outstanding as credit notes beyond what their invoices owed (negative)", total = true, optional = true }
not_due = { type = "money", meaning = "outstanding, not due yet", total = true }
days_1_30 = { type = "money", meaning = "outstanding for 1 to 30 days", total = true }
days_31_60 = { type = "money", meaning = "outstanding for 31 to 60 days", total = true }
days_61_90 = { type = "money", meaning = "outstanding for 61 to 90 days", total = true }
days_91_120 = { type = "money", meaning = "outstanding for 91 to 120 days", total = true }
over_120 = { type = "money", meaning = "outstanding for more than 120 days", total = true }
future = { type = "money", meaning = "known payments, credits and write-offs dated after the as-of date, less what undoes them then", total = true }
remaining = { type = "money", meaning = "outstanding − future", total = true }

[ties]
receivables = "receivables in the trial balance"
unapplied_cash = "unapplied_cash in the trial balance"
customer_credits = "customer_credits in the trial balance"
*/
-- Only these items can have something outstanding then, or moved since; the many settled ones are never looked at.
WITH candidate AS (
    SELECT item_id, instalment FROM ltc_read.open_items
    WHERE outstanding > 0 OR outstanding < 0 OR last_position > %(known_position)s
    UNION
    SELECT item_id, instalment FROM ltc_read.open_item_movements WHERE effective_on > %(as_of)s
), item AS (
    SELECT m.item_id, m.instalment, m.item,
           coalesce(sum(m.amount) FILTER (WHERE m.effective_on <= %(as_of)s AND m.kind IN ('invoiced', 'claimed')), 0) AS invoiced,
           -coalesce(sum(m.amount) FILTER (WHERE m.effective_on <= %(as_of)s AND (m.kind = 'credited' OR m.item = 'credit_note')), 0)
               AS credited,
           -coalesce(sum(m.amount) FILTER (WHERE m.effective_on <= %(as_of)s AND m.kind = 'written_off'), 0) AS written_off,
           coalesce(sum(m.amount) FILTER (WHERE m.effective_on <= %(as_of)s), 0) AS outstanding,
           -coalesce(sum(m.amount) FILTER (WHERE m.effective_on > %(as_of)s), 0) AS future,
           min(m.effective_on) > %(as_of)s AS is_future
    FROM candidate
    JOIN ltc_read.open_item_movements m USING (item_id, instalment)
    WHERE m.position <= %(known_position)s AND (%(customer)s::uuid IS NULL OR m.customer_id = %(customer)s::uuid)
    GROUP BY m.item_id, m.instalment, m.item
), aged AS (
    SELECT i.*, i.invoiced - i.credited - i.written_off - i.outstanding AS paid, o.customer_id, o.number, o.document_on, o.due_on,
           (SELECT string_agg(value, ', ' ORDER BY key) FROM jsonb_each_text(coalesce(v.external_references, p.external_references)))
               AS reference,
           o.currency, %(as_of)s::date - CASE %(basis)s WHEN 'due' THEN o.due_on ELSE o.document_on END AS days
    FROM item i
    JOIN ltc_read.open_items o USING (item_id, instalment)
    LEFT JOIN ltc_read.invoices v ON i.item = 'invoice' AND v.invoice_id = i.item_id
    LEFT JOIN ltc_read.payments p ON i.item = 'payment' AND p.payment_id = i.item_id
    WHERE i.outstanding <> 0 OR (i.future <> 0 AND NOT (i.is_future AND i.item IN ('invoice', 'claim')))
), bucket AS (
    SELECT *, %(per)s = 'instalment' AS is_single,
           CASE WHEN days <= 0 THEN 0 WHEN days <= 30 THEN 1 WHEN days <= 60 THEN 2 WHEN days <= 90 THEN 3
                WHEN days <= 120 THEN 4 ELSE 5 END AS bucket
    FROM aged
)
SELECT c.name AS customer, b.customer_id,
       CASE WHEN is_single THEN b.item END AS document,
       CASE WHEN is_single THEN b.item_id END AS document_id,
       CASE WHEN is_single THEN b.number END AS number,
       CASE WHEN is_single THEN b.reference END AS reference,
       CASE WHEN is_single THEN nullif(b.instalment, 0) END AS instalment,
       CASE WHEN is_single THEN b.document_on END AS document_on,
       CASE WHEN is_single THEN b.due_on END AS due_on,
       CASE WHEN is_single THEN b.days END AS days,
       b.currency, sum(b.invoiced) AS invoiced, sum(b.paid) AS paid, sum(b.credited) AS credited,
       sum(b.written_off) AS written_off, sum(b.outstanding) AS outstanding,
       sum(b.outstanding) FILTER (WHERE b.item = 'invoice') AS receivables,
       sum(b.outstanding) FILTER (WHERE b.item = 'payment') AS unapplied_cash,
       sum(b.outstanding) FILTER (WHERE b.item = 'credit_note') AS customer_credits,
       coalesce(sum(b.outstanding) FILTER (WHERE b.bucket = 0), 0) AS not_due,
       coalesce(sum(b.outstanding) FILTER (WHERE b.bucket = 1), 0) AS days_1_30,
       coalesce(sum(b.outstanding) FILTER (WHERE b.bucket = 2), 0) AS days_31_60,
       coalesce(sum(b.outstanding) FILTER (WHERE b.bucket = 3), 0) AS days_61_90,
       coalesce(sum(b.outstanding) FILTER (WHERE b.bucket = 4), 0) AS days_91_120,
       coalesce(sum(b.outstanding) FILTER (WHERE b.bucket = 5), 0) AS over_120,
       sum(b.future) AS future, sum(b.outstanding - b.future) AS remaining
FROM bucket b
LEFT JOIN LATERAL (
    -- Its name as it was known then.
    SELECT name
    FROM ltc_read.customer_profiles p
    WHERE p.customer_id = b.customer_id AND p.name IS NOT NULL AND p.position <= %(known_position)s AND p.effective_on <= %(as_of)s
    ORDER BY p.position DESC
    LIMIT 1
) c ON true
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY 1, 2, 9, 8, 5, 7, 4, 11
