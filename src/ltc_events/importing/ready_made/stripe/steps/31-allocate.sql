/*
rows = "payments"
command = "payment.allocate"
*/
SELECT payment AS subject, customer, allocated AS time, [{'invoice_id': invoice, 'amount': least(amount, open)}] AS allocations
FROM payments WHERE status = 'paid' AND invoice IS NOT NULL AND open > 0
