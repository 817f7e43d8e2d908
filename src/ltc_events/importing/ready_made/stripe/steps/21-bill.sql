/*
rows = "invoices"
command = "invoice.issue"
*/
SELECT invoice AS subject, customer, issued AS time, ltc_id('order', id) AS order_id, number, 'ordered' AS basis,
  due_on, total AS stated_payable, {'stripe': id} AS "references"
FROM invoices WHERE status <> 'draft'
