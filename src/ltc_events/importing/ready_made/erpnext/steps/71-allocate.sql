/*
rows = "payments"
command = "payment.allocate"
*/
SELECT payment AS subject, customer, paid AS time, parts AS allocations
FROM payments JOIN allocations ON payment_name = id
