/*
rows = "invoices"
command = "credit_note.issue"
*/
-- The export does not say when an invoice was made void, or given up as uncollectible.
SELECT ltc_id('credit_note', id) AS subject, customer, issued AS time, invoice AS invoice_id, 'STRIPE-CN' AS series,
  'cancellation' AS reason, 'Void in Stripe' AS note
FROM invoices WHERE status = 'void'
