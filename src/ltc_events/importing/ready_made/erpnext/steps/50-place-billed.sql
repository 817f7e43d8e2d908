/*
rows = "invoices"
command = "order.place"
*/
-- What was billed without an order is an order of its own.
WITH lines AS (
  SELECT invoice_items.invoice_name, list({'line': invoice_items.line, 'sku': invoice_items.sku,
    'description': invoice_items.description, 'quantity': invoice_items.quantity,
    'unit_price': ltc_div(invoice_items.net, invoice_items.quantity, 6),
    'tax_category': CASE WHEN invoices.rate > 0 THEN 'S' ELSE 'Z' END, 'tax_rate': invoices.rate}
    ORDER BY invoice_items.line) AS lines
  FROM invoice_items JOIN invoices ON invoices.id = invoice_items.invoice_name GROUP BY invoice_items.invoice_name
)
SELECT "order" AS subject, customer, issued AS time, currency, 'Billed in ERPNext without an order' AS reason,
  {'erpnext': id} AS "references", lines
FROM invoices LEFT JOIN lines ON lines.invoice_name = id WHERE order_name IS NULL
