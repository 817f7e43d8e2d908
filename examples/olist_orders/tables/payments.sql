-- What payments before it have left open of its order's bill.
WITH read AS (
  SELECT order_id, ltc_integer(payment_sequential) AS number, payment_type, ltc_amount(payment_value, '1234.56') AS value
  FROM payments
), billed AS (
  SELECT order_id, sum(price + freight) AS total FROM items GROUP BY order_id
)
SELECT read.*, coalesce(billed.total, 0) - coalesce(sum(value) OVER (
    PARTITION BY read.order_id ORDER BY read._row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS open
FROM read LEFT JOIN billed ON billed.order_id = read.order_id
