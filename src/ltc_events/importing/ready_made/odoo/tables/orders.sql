-- Quotations are none yet, and cancelled orders none any more.
WITH read AS (
  SELECT id, name AS number, "partner_id/id" AS partner_id, ltc_word('order_state', state) AS state, currency_id AS currency,
    ltc_time(date_order, '%Y-%m-%d %H:%M:%S') AS placed, ltc_time(commitment_date, '%Y-%m-%d %H:%M:%S') AS promised,
    ltc_amount(amount_untaxed, '1234.56') AS untaxed
  FROM last_orders WHERE id IS NOT NULL
)
SELECT read.*, ltc_id('order', read.id) AS "order",
  ltc_needed(partners.customer, 'the customer is not among the contacts') AS customer
FROM read LEFT JOIN partners ON partners.id = partner_id WHERE state = 'order'
