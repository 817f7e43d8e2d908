/*
rows = "refunds"
command = "credit_note.refund"
*/
SELECT ltc_id('credit_note', id) AS subject, customer, refunded AS time, amount, 'Refunded in Stripe' AS reason
FROM refunds WHERE invoice IS NOT NULL
