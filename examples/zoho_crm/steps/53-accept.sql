/*
rows = "quotes"
command = "quote.accept"
*/
SELECT quote AS subject, coalesce(orders.customer, ltc_id('customer', '(not stated in the export)')) AS customer,
  least(quotes.modified, orders.placed) AS time, quotes.owner AS actor
FROM quotes LEFT JOIN orders ON orders.quote_id = quotes.id WHERE quotes.accepted
