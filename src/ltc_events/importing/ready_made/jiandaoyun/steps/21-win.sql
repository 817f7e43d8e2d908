/*
rows = "opportunities"
command = "opportunity.win"
unless = "won"
*/
SELECT opportunity AS subject, customer, modified AS time, '简道云：赢单' AS reason FROM opportunities WHERE stage = 'won'
