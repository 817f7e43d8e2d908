-- What a submitted invoice bills: items of one order, or of none.
SELECT invoice_name, min(order_name) AS order_name, count(DISTINCT order_name) AS orders, count(order_item) AS of_orders,
  count(*) AS items
FROM invoice_items GROUP BY invoice_name
