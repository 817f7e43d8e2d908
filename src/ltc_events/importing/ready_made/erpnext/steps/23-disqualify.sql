/*
rows = "leads"
command = "lead.disqualify"
unless = ["converted", "rejected", "disqualified"]
*/
SELECT lead AS subject, customer, modified AS time, 'Do Not Contact in ERPNext' AS reason
FROM leads WHERE status = 'Do Not Contact' AND opportunity IS NULL
