/*
rows = "quotes"
command = "quote.price"
*/
-- Lines are exported without the quote they belong to, so a quote has one line that sums it up. All discounts are below 10 %.
SELECT quote AS subject, coalesce(orders.customer, ltc_id('customer', '(not stated in the export)')) AS customer,
  quotes.created AS time, quotes.owner AS actor, quotes.owner AS requested_by, 'sales' AS role,
  [{'line': 1, 'sku': 'quote-' || quotes.id, 'description': quotes.subject_line, 'quantity': 1, 'list_price': quotes.subtotal,
    'tax_category': 'O', 'tax_rate': 0,
    'discounts': CASE WHEN discount > 0 THEN [{'amount': discount, 'reason': 'Discount in the CRM'}] END}] AS lines
FROM quotes LEFT JOIN orders ON orders.quote_id = quotes.id
