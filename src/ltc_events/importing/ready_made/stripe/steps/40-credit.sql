/*
rows = "refunds"
command = "credit_note.issue"
*/
SELECT ltc_id('credit_note', id) AS subject, customer, refunded AS time, invoice AS invoice_id, 'STRIPE-CN' AS series,
  'other' AS reason, 'Refunded in Stripe' AS note,
  CASE WHEN NOT in_full THEN [{'line': 1, 'amount': net}] END AS lines
FROM refunds WHERE invoice IS NOT NULL
