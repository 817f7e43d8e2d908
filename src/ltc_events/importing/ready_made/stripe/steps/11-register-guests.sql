/*
rows = "payments"
command = "customer.register"
order = "paid"
once = true
*/
SELECT payments.customer AS subject, paid AS time,
  {'name': coalesce(payments.email, 'Unknown payers'), 'email': CASE WHEN ltc_is_email(payments.email) THEN payments.email END} AS profile
FROM payments WHERE customer_id IS NULL AND status = 'paid'
