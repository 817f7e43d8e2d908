/*
rows = "orders"
command = "invoice.issue"
*/
SELECT ltc_id('invoice', order_id) AS subject, customer, billed_at AS time, ltc_id('order', order_id) AS order_id,
  'OLIST' AS series, 'ordered' AS basis, 'immediate' AS terms_code,
  (SELECT sum(price + freight) FROM items WHERE items.order_id = orders.order_id) AS stated_payable,
  {'olist_order': order_id} AS "references"
FROM orders
