-- A payment of one invoice goes against it, up to what payments before it have left open; one of several against what is due first.
-- Odoo may date a payment before the invoice that it is reconciled with later.
WITH read AS (
  SELECT id, name AS number, "partner_id/id" AS partner_id, ltc_word('payment_type', payment_type) AS kind,
    ltc_word('payment_state', state) AS state, "reconciled_invoice_ids/id" AS paid_for, memo, currency_id AS currency,
    ltc_date("date", '%Y-%m-%d') AS paid, ltc_amount(amount, '1234.56') AS amount
  FROM account_payment
)
SELECT read.*, ltc_id('payment', read.id) AS payment,
  ltc_needed(partners.customer, 'the customer is not among the contacts') AS customer, invoices.invoice,
  greatest(paid, paid_invoices.issued) AS allocated,
  ltc_refuse(paid_invoices.missing IS NOT NULL, 'it pays what is no posted invoice of the export: ' || paid_invoices.missing,
    'export all invoices, of earlier months too') AS checked,
  invoices.total - coalesce(sum(read.amount) OVER (PARTITION BY coalesce(paid_for, read.id)
    ORDER BY paid, read.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS open
FROM read LEFT JOIN partners ON partners.id = partner_id LEFT JOIN invoices ON invoices.id = paid_for
LEFT JOIN paid_invoices ON paid_invoices.payment_id = read.id
WHERE read.kind = 'received' AND read.state = 'posted'
