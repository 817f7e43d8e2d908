/*
rows = "deals"
command = "opportunity.win"
unless = "won"
*/
SELECT opportunity AS subject, customer, least(closing, modified) AS time, 'Closed Won in HubSpot' AS reason
FROM deals WHERE stage = 'won'
