/*
rows = "quotes"
command = "quote.reject"
*/
SELECT quote AS subject, coalesce(orders.customer, ltc_id('customer', '(not stated in the export)')) AS customer,
  quotes.modified AS time, quotes.owner AS actor, 'Closed Lost in the CRM' AS reason
FROM quotes LEFT JOIN orders ON orders.quote_id = quotes.id WHERE stage = 'Closed Lost'
