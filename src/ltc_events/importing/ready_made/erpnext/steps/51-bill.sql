/*
rows = "invoices"
command = "invoice.issue"
*/
WITH lines AS (
  SELECT invoice_items.invoice_name, list({'line': coalesce(order_items.line, invoice_items.line),
    'quantity': invoice_items.quantity} ORDER BY invoice_items.line) AS lines
  FROM invoice_items LEFT JOIN order_items ON order_items.id = order_item GROUP BY invoice_items.invoice_name
)
SELECT invoice AS subject, customer, issued AS time, "order" AS order_id, id AS number, 'ordered' AS basis, due AS due_on,
  payable AS stated_payable, rounding AS cash_rounding, {'erpnext': id} AS "references", lines
FROM invoices LEFT JOIN lines ON lines.invoice_name = id
