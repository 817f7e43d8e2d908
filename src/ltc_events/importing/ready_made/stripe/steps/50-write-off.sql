/*
rows = "invoices"
command = "invoice.write_off"
*/
SELECT invoice AS subject, customer, greatest(issued, CAST(due_on AS TIMESTAMP)) AS time, 'Uncollectible in Stripe' AS reason
FROM invoices WHERE status = 'uncollectible'
