/*
rows = "deals"
command = "customer.link_reference"
*/
-- The seller's name in the orders (olist_orders has it on each order line).
SELECT customer AS subject, won AS time, sales_rep AS actor, greatest(CAST(won AS DATE), first_contact) AS effective_on,
  'seller_id' AS system, seller_id AS reference
FROM deals
