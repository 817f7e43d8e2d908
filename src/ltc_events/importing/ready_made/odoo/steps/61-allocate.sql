/*
rows = "payments"
command = "payment.allocate"
*/
SELECT payment AS subject, customer, allocated AS time,
  CASE WHEN invoice IS NOT NULL THEN [{'invoice_id': invoice, 'amount': least(amount, open)}] END AS allocations
FROM payments WHERE paid_for IS NOT NULL AND coalesce(open, 1) > 0
