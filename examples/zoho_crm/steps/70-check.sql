/*
rows = "invoices"
order = "created"
*/
-- 270 invoices name an order that the export does not have, and no amounts: they are refused, and listed.
SELECT
  ltc_refuse(orders.id IS NULL, 'there is no order ' || order_id || ' in Sales_Orders.csv; grand total given: '
    || coalesce(CAST(ltc_round(grand_total, 2) AS VARCHAR), 'none'), 'export the order, and the invoice with its amounts') AS a,
  ltc_refuse(abs(grand_total - (invoices.subtotal - discount - tax)) > adjustment + 0.02,
    'grand total ' || ltc_round(grand_total, 2) || ' is not subtotal − discount − tax = '
      || ltc_round(invoices.subtotal - discount - tax, 2) || ', rounded by ' || ltc_round(adjustment, 2),
    'correct the amounts in the CRM') AS b
FROM invoices LEFT JOIN orders ON orders.id = order_id
