/*
rows = "leads"
command = "lead.qualify"
unless = ["qualified", "converted", "rejected", "disqualified"]
*/
SELECT lead AS subject, customer, greatest(created, CAST(opened AS TIMESTAMP)) AS time, 'An opportunity was opened in ERPNext' AS need
FROM leads WHERE opportunity IS NOT NULL
