/*
rows = "leads"
command = "lead.qualify"
unless = ["qualified", "converted", "rejected", "disqualified"]
*/
SELECT lead AS subject, leads.customer, coalesce(opportunities.created, leads.modified) AS time, 'Converted in Salesforce' AS need
FROM leads LEFT JOIN opportunities ON opportunities.id = deal_id WHERE status = 'converted' AND made_account
