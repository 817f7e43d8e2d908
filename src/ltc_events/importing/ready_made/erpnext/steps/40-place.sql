/*
rows = "orders"
command = "order.place"
vanished = "report"
*/
WITH lines AS (
  SELECT order_items.order_name, list({'line': order_items.line, 'sku': order_items.sku, 'description': order_items.description,
    'quantity': order_items.quantity, 'unit_price': ltc_div(order_items.net, order_items.quantity, 6),
    'tax_category': CASE WHEN orders.rate > 0 THEN 'S' ELSE 'Z' END, 'tax_rate': orders.rate} ORDER BY order_items.line) AS lines
  FROM order_items JOIN orders ON orders.id = order_items.order_name GROUP BY order_items.order_name
)
SELECT "order" AS subject, customer, placed AS time, currency, 'Submitted in ERPNext' AS reason, wanted AS requested_delivery_on,
  {'erpnext': id} AS "references", lines
FROM orders LEFT JOIN lines ON lines.order_name = id
