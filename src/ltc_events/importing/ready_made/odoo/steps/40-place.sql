/*
rows = "orders"
command = "order.place"
vanished = "report"
*/
WITH lines AS (
  SELECT order_id, list({'line': line, 'sku': coalesce(nullif(sku, ''), 'LINE-' || line), 'description': description, 'quantity': quantity,
    'unit_price': ltc_div(net, quantity, 6), 'tax_category': CASE WHEN rate > 0 THEN 'S' ELSE 'Z' END, 'tax_rate': rate}
    ORDER BY line) AS lines
  FROM order_lines GROUP BY order_id
)
SELECT "order" AS subject, customer, placed AS time, currency, 'Confirmed in Odoo' AS reason,
  CAST(promised AS DATE) AS requested_delivery_on, {'odoo': id, 'odoo_number': number} AS "references", lines
FROM orders LEFT JOIN lines ON order_id = id
