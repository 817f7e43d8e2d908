-- Each order has a customer id of its own; who comes back is recognised by the unique one.
WITH read AS (
  SELECT order_id, customer_id, order_status,
    ltc_time(order_purchase_timestamp, '%Y-%m-%d %H:%M:%S') AS purchased,
    ltc_time(order_approved_at, '%Y-%m-%d %H:%M:%S') AS approved,
    ltc_time(order_delivered_carrier_date, '%Y-%m-%d %H:%M:%S') AS shipped,
    ltc_time(order_delivered_customer_date, '%Y-%m-%d %H:%M:%S') AS delivered,
    ltc_time(order_estimated_delivery_date, '%Y-%m-%d %H:%M:%S') AS estimated
  FROM orders
)
SELECT read.*, coalesce(approved, purchased) AS billed_at, customer_unique_id,
  ltc_id('customer', customer_unique_id) AS customer, customer_city || ', ' || customer_state AS region
FROM read JOIN customers USING (customer_id)
