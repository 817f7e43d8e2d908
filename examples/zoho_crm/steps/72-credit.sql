/*
rows = "invoices"
command = "credit_note.issue"
*/
-- An issued invoice never changes: a cancelled one is issued, as the source's total has it, and credited in full.
SELECT ltc_id('credit_note', invoices.id) AS subject, customer, greatest(invoices.modified, invoices.created) AS time,
  invoices.owner AS actor, ltc_id('invoice', invoices.id) AS invoice_id, 'ZOHO-CN' AS series, 'cancellation' AS reason,
  'Cancelled in the CRM' AS note
FROM invoices JOIN orders ON orders.id = order_id WHERE invoices.status = 'Cancelled'
