/*
rows = "payments"
command = "payment.receive"
*/
SELECT payment AS subject, customer, paid AS time, amount, currency, method, coalesce(reference, id) AS reference,
  {'erpnext': id} AS "references"
FROM payments
