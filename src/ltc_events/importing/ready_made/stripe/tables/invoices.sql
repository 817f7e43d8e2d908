-- The export has no lines: an invoice is one line of its total without tax, which holds whether prices include tax or not.
WITH read AS (
  SELECT id, "Number" AS number, "Customer" AS customer_id, ltc_word('invoice_status', "Status") AS status,
    upper("Currency") AS currency, ltc_amount("Total", '1,234.56') AS total, coalesce(ltc_amount("Tax", '1,234.56'), 0) AS tax,
    ltc_amount("Tax Percent", '1,234.56') AS tax_percent,
    ltc_time("Date (UTC)", '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S') AS issued,
    ltc_time("Due Date (UTC)", '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S') AS due
  FROM invoice
)
SELECT read.*, ltc_id('invoice', read.id) AS invoice, coalesce(CAST(due AS DATE), CAST(issued AS DATE)) AS due_on,
  ltc_needed(customers.customer, 'the customer is not in customers.csv') AS customer, total - tax AS net,
  CASE WHEN tax = 0 THEN 0 ELSE coalesce(tax_percent, ltc_div(100 * tax, total - tax, 4)) END AS rate
FROM read LEFT JOIN customers ON customers.id = customer_id
