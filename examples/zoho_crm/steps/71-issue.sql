/*
rows = "invoices"
command = "invoice.issue"
*/
-- Grand total = subtotal − discount − tax, rounded to whole dollars; `Adjustments` is how far rounding moved it, without a
-- sign. Discount is in the order's price already. The tax *lowers* the total here, which no tax does: it is read as an
-- allowance. The ledger checks each grand total to the cent (`stated_payable`). On six invoices exactly half a dollar was
-- rounded down: the CRM rounded amounts finer than the cents it shows.
SELECT ltc_id('invoice', invoices.id) AS subject, customer, invoices.created AS time, invoices.owner AS actor,
  ltc_id('order', order_id) AS order_id, 'ZOHO' AS series, 'ordered' AS basis, 1 AS cash_rounding, grand_total AS stated_payable,
  {'zoho': invoices.id, 'zoho_number': number, 'zoho_status': invoices.status} AS "references",
  [
    CASE WHEN tax > 0 THEN {'amount': tax, 'reason': 'Tax in the CRM, which lowers its totals', 'tax_category': 'O', 'tax_rate': 0} END,
    CASE WHEN invoices.subtotal - discount - tax - grand_total = 0.5 THEN
      {'amount': 0.01, 'reason': 'Cents that the CRM rounds away', 'tax_category': 'O', 'tax_rate': 0} END
  ] AS allowances
FROM invoices JOIN orders ON orders.id = order_id
