/*
rows = "orders"
command = "order.place"
*/
-- Orders of accepted quotes are placed from them. The others are placed for the reason that the source has them: its quote may
-- be a draft still. Their line is worth what the quote says, to the cent; the order's own columns are rounded in places.
SELECT "order" AS subject, customer, placed AS time, owner AS actor,
  CASE WHEN accepted THEN ltc_id('quote', quote_id) END AS quote_id,
  CASE WHEN NOT accepted THEN 'The CRM has this order for a quote that is ' || quote_stage END AS reason,
  'USD' AS currency, due AS requested_delivery_on, {'zoho': id, 'zoho_status': status, 'zoho_quote': quote_id} AS "references",
  CASE WHEN NOT accepted THEN [{'line': 1, 'sku': 'quote-' || quote_id, 'description': subject_line, 'quantity': 1,
    'unit_price': quote_net, 'tax_category': 'O', 'tax_rate': 0}] END AS lines
FROM orders
