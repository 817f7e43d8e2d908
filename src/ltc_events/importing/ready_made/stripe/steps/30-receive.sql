/*
rows = "payments"
command = "payment.receive"
*/
SELECT payment AS subject, customer, paid AS time, amount, currency, 'card' AS method, id AS reference,
  CASE WHEN status <> 'paid' THEN 'it was not paid' END AS skip, {'stripe': id} AS "references"
FROM payments
