/*
rows = "invoices"
command = "invoice.issue"
*/
SELECT invoice AS subject, customer, issued AS time, "order" AS order_id, id AS number, 'ordered' AS basis,
  coalesce(due, issued) AS due_on, amount AS stated_payable, {'jiandaoyun': id} AS "references",
  [{'line': 1, 'quantity': amount}] AS lines
FROM invoices
