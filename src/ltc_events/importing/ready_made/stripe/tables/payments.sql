-- Who pays without being a customer of Stripe's is known by an e-mail address. A payment goes against its invoice up to what
-- payments before it have left open.
WITH read AS (
  SELECT payment.id, "Invoice ID" AS invoice_id, "Customer ID" AS customer_id, "Customer Email" AS email,
    coalesce("Customer ID", lower("Customer Email"), 'nobody') AS payer, "Description" AS description,
    CASE WHEN lower("Captured") = 'false' THEN 'not paid' ELSE ltc_word('payment_status', "Status") END AS status,
    upper("Currency") AS currency, ltc_amount("Amount", '1,234.56') AS amount,
    ltc_time("Created date (UTC)", '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S') AS paid
  FROM payment
)
SELECT read.*, ltc_id('payment', read.id) AS payment, ltc_id('customer', payer) AS customer, invoices.invoice, invoices.rate,
  ltc_refuse(read.status = 'paid' AND read.invoice_id IS NOT NULL AND invoices.id IS NULL,
    'it pays what is no finalized invoice of the export: ' || read.invoice_id, 'export all invoices, of earlier months too') AS checked,
  greatest(paid, issued) AS allocated, invoices.total,
  invoices.total - coalesce(sum(CASE WHEN read.status = 'paid' THEN amount END) OVER (
    PARTITION BY coalesce(read.invoice_id, read.id) ORDER BY paid, read.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS open
FROM read LEFT JOIN invoices ON invoices.id = read.invoice_id AND invoices.status <> 'draft'
