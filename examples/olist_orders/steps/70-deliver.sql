/*
rows = "orders"
command = "order.report_delivery"
*/
-- All orders are delivered, one of them on a day that the source does not tell: it is taken to be when it was shipped.
SELECT ltc_id('order', order_id) AS subject, customer, coalesce(delivered, shipped) AS time,
  ltc_id('delivery', order_id) AS delivery_id
FROM orders WHERE order_status = 'delivered'
