WITH read AS (
  SELECT id, name AS number, "partner_id/id" AS partner_id, ltc_word('move_type', move_type) AS kind,
    ltc_word('move_state', state) AS state, currency_id AS currency, "reversed_entry_id/id" AS reverses,
    ltc_date(invoice_date, '%Y-%m-%d') AS issued, ltc_date(invoice_date_due, '%Y-%m-%d') AS due,
    ltc_amount(amount_total, '1234.56') AS total
  FROM last_moves WHERE id IS NOT NULL
)
SELECT read.*, ltc_needed(partners.customer, 'the customer is not among the contacts') AS customer,
  CASE WHEN billed.of_orders > 0 THEN billed.order_id END AS order_id,
  ltc_refuse(billed.orders > 1 OR (billed.of_orders > 0 AND billed.of_orders < billed.lines),
    'it bills lines of several orders, or some of none', 'enter it by hand: an invoice bills one order') AS checked
FROM read LEFT JOIN partners ON partners.id = partner_id LEFT JOIN billed ON billed.move_id = read.id
WHERE state = 'posted' AND kind <> 'other'
