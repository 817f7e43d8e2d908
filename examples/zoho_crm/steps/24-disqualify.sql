/*
rows = "leads"
command = "lead.disqualify"
*/
SELECT lead AS subject, customer, created AS time, owner AS actor, 'Lost Lead in the CRM' AS reason
FROM leads WHERE status = 'Lost Lead' AND NOT converted
