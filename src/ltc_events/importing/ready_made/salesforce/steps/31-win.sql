/*
rows = "opportunities"
command = "opportunity.win"
unless = "won"
*/
SELECT opportunity AS subject, customer, least(CAST(closing AS TIMESTAMP), modified) AS time, 'Closed Won in Salesforce' AS reason
FROM opportunities WHERE stage = 'won'
