/*
rows = "orders"
command = "order.report_delivery"
*/
SELECT "order" AS subject, customer, greatest(modified, placed) AS time, owner AS actor, ltc_id('delivery', id) AS delivery_id
FROM orders WHERE status = 'Delivered'
