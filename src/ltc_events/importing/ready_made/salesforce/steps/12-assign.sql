/*
rows = "leads"
command = "lead.assign"
unless = ["converted", "rejected", "disqualified"]
*/
SELECT lead AS subject, customer, created AS time, owner FROM leads WHERE owner IS NOT NULL
