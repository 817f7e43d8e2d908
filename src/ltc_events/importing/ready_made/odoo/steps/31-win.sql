/*
rows = "opportunities"
command = "opportunity.win"
unless = "won"
*/
SELECT opportunity AS subject, customer, coalesce(closed, modified) AS time, 'Won in Odoo' AS reason
FROM opportunities WHERE stage = 'won' AND left_out IS NULL
