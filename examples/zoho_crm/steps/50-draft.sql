/*
rows = "quotes"
command = "quote.draft"
*/
SELECT quote AS subject, coalesce(orders.customer, ltc_id('customer', '(not stated in the export)')) AS customer,
  quotes.created AS time, quotes.owner AS actor, 'USD' AS currency, valid_until, quotes.subject_line AS title,
  {'zoho': quotes.id} AS "references"
FROM quotes LEFT JOIN orders ON orders.quote_id = quotes.id
