/*
rows = "quotes"
command = "quote.send"
*/
SELECT quote AS subject, coalesce(orders.customer, ltc_id('customer', '(not stated in the export)')) AS customer,
  quotes.created AS time, quotes.owner AS actor
FROM quotes LEFT JOIN orders ON orders.quote_id = quotes.id WHERE stage <> 'Draft'
