/*
rows = "opportunities"
command = "opportunity.lose"
unless = "lost"
*/
SELECT opportunity AS subject, customer, modified AS time, 'other' AS reason, status_there || ' in ERPNext' AS note
FROM opportunities WHERE stage = 'lost' AND customer IS NOT NULL
