-- Submitted orders; drafts and cancelled ones are none.
SELECT sales_order.name AS id, ltc_id('order', sales_order.name) AS "order", sales_order.currency,
  ltc_needed(customers.customer, 'the customer is not in Customer.json') AS customer,
  ltc_date(transaction_date, '%Y-%m-%d') AS placed, ltc_date(delivery_date, '%Y-%m-%d') AS wanted,
  ltc_amount(net_total, '1234.56') AS net_total, coalesce(order_taxes.rate, 0) AS rate
FROM sales_order LEFT JOIN customers ON customers.id = sales_order.customer
LEFT JOIN order_taxes ON order_taxes.order_name = sales_order.name
WHERE docstatus = '1'
