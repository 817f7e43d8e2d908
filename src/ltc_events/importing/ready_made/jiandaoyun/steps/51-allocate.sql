/*
rows = "receipts"
command = "payment.allocate"
*/
-- A receipt without an invoice's number is an advance: it stays unapplied.
SELECT payment AS subject, customer, greatest(received, issued) AS time, [{'invoice_id': invoice, 'amount': amount}] AS allocations
FROM receipts WHERE invoice_number IS NOT NULL
