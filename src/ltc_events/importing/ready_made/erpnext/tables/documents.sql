SELECT sales_invoice.name AS id, sales_invoice.currency, is_return = '1' AS is_return, return_against,
  ltc_needed(customers.customer, 'the customer is not in Customer.json') AS customer,
  ltc_date(posting_date, '%Y-%m-%d') AS issued, ltc_date(due_date, '%Y-%m-%d') AS due,
  abs(coalesce(nullif(ltc_amount(rounded_total, '1234.56'), 0), ltc_amount(grand_total, '1234.56'))) AS payable,
  abs(ltc_amount(grand_total, '1234.56')) AS exact, coalesce(invoice_taxes.rate, 0) AS rate,
  CASE WHEN billed.of_orders > 0 THEN billed.order_name END AS order_name,
  ltc_refuse(billed.orders > 1 OR (billed.of_orders > 0 AND billed.of_orders < billed.items),
    'it bills items of several orders, or some of none', 'enter it by hand: an invoice bills one order') AS checked
FROM sales_invoice LEFT JOIN customers ON customers.id = sales_invoice.customer
LEFT JOIN invoice_taxes ON invoice_taxes.invoice_name = sales_invoice.name
LEFT JOIN billed ON billed.invoice_name = sales_invoice.name
WHERE docstatus = '1'
