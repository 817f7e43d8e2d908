/*
rows = "orders"
command = "order.ship"
*/
SELECT ltc_id('order', order_id) AS subject, customer, shipped AS time, ltc_id('shipment', order_id) AS shipment_id
FROM orders WHERE shipped IS NOT NULL
