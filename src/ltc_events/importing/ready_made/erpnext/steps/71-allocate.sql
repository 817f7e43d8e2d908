/*
rows = "payments"
command = "payment.allocate"
*/
SELECT payment AS subject, customer, greatest(paid, issued) AS time, parts AS allocations
FROM payments JOIN allocations ON payment_name = id
