/*
rows = "refunds"
command = "payment.refund"
*/
SELECT payment AS subject, customer, refunded AS time, amount, 'Refund ' || id || ' in Stripe' AS reason
FROM refunds WHERE invoice IS NULL
