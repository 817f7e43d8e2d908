/*
rows = "receipts"
command = "payment.receive"
*/
SELECT payment AS subject, customer, received AS time, amount, 'CNY' AS currency, method, id AS reference,
  {'jiandaoyun': id} AS "references"
FROM receipts
