/*
rows = "invoices"
command = "order.place"
*/
-- What was billed without an order is an order of its own.
WITH lines AS (
  SELECT move_id, list({'line': line, 'sku': coalesce(nullif(sku, ''), 'LINE-' || line), 'description': description, 'quantity': quantity,
    'unit_price': ltc_div(net, quantity, 6), 'tax_category': CASE WHEN rate > 0 THEN 'S' ELSE 'Z' END, 'tax_rate': rate}
    ORDER BY line) AS lines
  FROM move_lines GROUP BY move_id
)
SELECT "order" AS subject, customer, issued AS time, currency, 'Billed in Odoo without an order' AS reason,
  {'odoo': id} AS "references", lines
FROM invoices LEFT JOIN lines ON move_id = id WHERE order_id IS NULL
