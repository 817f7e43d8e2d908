-- `net` is what of an invoice's line is credited: with its tax it comes to what was refunded, or to a cent more.
WITH read AS (
  SELECT source_id AS id, charge_id, upper(coalesce(customer_facing_currency, currency)) AS currency,
    abs(ltc_amount(coalesce(customer_facing_amount, gross), '1,234.56')) AS amount,
    ltc_time(created_utc, '%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M') AS refunded
  FROM activity WHERE reporting_category = 'refund'
)
SELECT read.*, payments.payment, ltc_needed(payments.customer, 'the payment is not in unified_payments.csv') AS customer,
  payments.invoice, payments.invoice_id, read.amount = payments.total AS in_full,
  ltc_div(100 * read.amount, 100 + rate, 2)
    + CASE WHEN ltc_round(ltc_div(ltc_div(100 * read.amount, 100 + rate, 2) * (100 + rate), 100, 4), 2) < read.amount
      THEN 0.01 ELSE 0 END AS net
FROM read LEFT JOIN payments ON payments.id = charge_id
