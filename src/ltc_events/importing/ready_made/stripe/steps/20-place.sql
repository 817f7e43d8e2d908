/*
rows = "invoices"
command = "order.place"
*/
SELECT ltc_id('order', id) AS subject, customer, issued AS time, currency, 'Invoiced by Stripe without an order' AS reason,
  CASE WHEN status = 'draft' THEN 'it is a draft' END AS skip, {'stripe': id} AS "references",
  [{'line': 1, 'sku': 'INVOICE', 'description': 'Invoice ' || coalesce(number, id), 'quantity': 1, 'unit_price': net,
    'tax_category': CASE WHEN rate > 0 THEN 'S' ELSE 'Z' END, 'tax_rate': rate}] AS lines
FROM invoices
