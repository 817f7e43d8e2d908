/*
rows = "orders"
command = "payment.allocate"
*/
-- Each goes against the invoice of its order, up to what the payments before it have left open; the rest stays unapplied.
SELECT ltc_id('payment', order_id, number) AS subject, customer, billed_at AS time,
  [{'invoice_id': ltc_id('invoice', order_id), 'amount': least(value, open)}] AS allocations
FROM orders JOIN payments USING (order_id) WHERE open > 0
