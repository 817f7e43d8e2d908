/*
rows = "orders"
command = "payment.receive"
*/
-- Payments have no date of their own: they were made when the order was approved.
SELECT ltc_id('payment', order_id, number) AS subject, customer, billed_at AS time, value AS amount, 'BRL' AS currency,
  payment_type AS method, order_id AS reference, {'olist_order': order_id} AS "references"
FROM orders JOIN payments USING (order_id)
