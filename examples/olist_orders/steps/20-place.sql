/*
rows = "orders"
command = "order.place"
*/
-- Each item has a line for its price and one for its freight. Prices are as paid; the source says nothing of tax.
WITH line AS (
  SELECT items.*, unnest(['item', 'freight']) AS kind FROM items
), numbered AS (
  SELECT *, row_number() OVER (PARTITION BY order_id ORDER BY _row, kind DESC) AS place FROM line
  WHERE kind = 'item' OR freight > 0
), lines AS (
  SELECT order_id, list({
    'line': place,
    'sku': CASE kind WHEN 'item' THEN product_id ELSE 'freight' END,
    'description': CASE kind WHEN 'item' THEN 'Item ' ELSE 'Freight of item ' END || number,
    'quantity': 1,
    'unit_price': CASE kind WHEN 'item' THEN price ELSE freight END,
    'tax_category': 'O',
    'tax_rate': 0,
    'references': {'seller_id': seller_id, 'kind': kind}
  } ORDER BY place) AS lines
  FROM numbered GROUP BY order_id
)
SELECT ltc_id('order', order_id) AS subject, customer, purchased AS time,
  'Bought in the shop: there is no quote' AS reason, 'BRL' AS currency, CAST(estimated AS DATE) AS requested_delivery_on,
  {'olist_order': order_id} AS "references", lines
FROM orders LEFT JOIN lines USING (order_id)
