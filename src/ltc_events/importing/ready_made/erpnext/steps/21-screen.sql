/*
rows = "leads"
command = "lead.screen"
unless = ["accepted", "qualified", "converted", "rejected", "disqualified"]
*/
SELECT lead AS subject, customer, created AS time, true AS specific_customer, true AS potential_intent, true AS can_take_part
FROM leads
