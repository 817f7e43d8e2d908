/*
rows = "opportunities"
command = "opportunity.win"
unless = "won"
*/
SELECT opportunity AS subject, customer, modified AS time, 'Converted in ERPNext' AS reason
FROM opportunities WHERE stage = 'won' AND customer IS NOT NULL
