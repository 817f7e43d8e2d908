/*
rows = "deals"
command = "lead.assign"
*/
SELECT lead AS subject, customer, won AS time, development_rep AS actor, sales_rep AS owner FROM deals
