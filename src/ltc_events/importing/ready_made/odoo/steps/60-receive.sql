/*
rows = "payments"
command = "payment.receive"
*/
SELECT payment AS subject, customer, paid AS time, amount, currency, 'transfer' AS method, coalesce(memo, number) AS reference,
  {'odoo': id} AS "references"
FROM payments
