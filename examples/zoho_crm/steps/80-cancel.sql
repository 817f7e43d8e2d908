/*
rows = "orders"
command = "order.cancel"
*/
-- Orders are cancelled last: the source bills cancelled orders, too (241 of them), and what is cancelled cannot be billed.
SELECT "order" AS subject, customer, greatest(modified, placed) AS time, owner AS actor, 'Cancelled in the CRM' AS reason
FROM orders WHERE status = 'Cancelled'
