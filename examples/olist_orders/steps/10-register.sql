/*
rows = "orders"
command = "customer.register"
order = "purchased"
once = true
*/
SELECT customer AS subject, purchased AS time, {'region': region, 'country': 'BR'} AS profile,
  {'olist_customer': customer_unique_id} AS "references"
FROM orders
