-- The invoices that a payment names: how many, when the last of them was issued, and which are not in the export.
SELECT payment_id, count(*) AS named, max(invoices.issued) AS issued,
  string_agg(CASE WHEN invoices.id IS NULL THEN invoice_id END, ', ' ORDER BY invoice_id) AS missing
FROM (SELECT id AS payment_id, unnest(string_split(replace("reconciled_invoice_ids/id", ' ', ''), ',')) AS invoice_id FROM account_payment)
LEFT JOIN invoices ON invoices.id = invoice_id GROUP BY payment_id
