/*
rows = "leads"
command = "lead.capture"
unless = ["captured", "accepted", "qualified", "converted", "rejected", "disqualified"]
*/
SELECT lead AS subject, customer, created AS time, name AS contact_name, company, industry, phone, email, channel,
  source AS origin, {'salesforce': id} AS "references"
FROM leads
