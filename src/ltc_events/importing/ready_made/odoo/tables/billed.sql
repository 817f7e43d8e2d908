-- What an invoice bills: lines of one order, or of none.
SELECT move_id, min(order_id) AS order_id, count(DISTINCT order_id) AS orders, count(order_id) AS of_orders, count(*) AS lines
FROM move_lines GROUP BY move_id
