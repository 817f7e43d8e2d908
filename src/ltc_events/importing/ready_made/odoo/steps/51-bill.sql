/*
rows = "invoices"
command = "invoice.issue"
*/
WITH lines AS (
  SELECT move_id, list({'line': coalesce(order_place, line), 'quantity': quantity} ORDER BY line) AS lines
  FROM move_lines GROUP BY move_id
)
SELECT invoice AS subject, customer, issued AS time, "order" AS order_id, number, 'ordered' AS basis, due AS due_on,
  total AS stated_payable, {'odoo': id} AS "references", lines
FROM invoices LEFT JOIN lines ON move_id = id
