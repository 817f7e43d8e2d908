/*
rows = "deals"
command = "opportunity.win"
*/
SELECT opportunity AS subject, customer, won AS time, sales_rep AS actor, 'The deal closed; the source has no quotes' AS reason
FROM deals
