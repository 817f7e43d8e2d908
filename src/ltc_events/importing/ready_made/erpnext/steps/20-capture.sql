/*
rows = "leads"
command = "lead.capture"
unless = ["captured", "accepted", "qualified", "converted", "rejected", "disqualified"]
*/
SELECT lead AS subject, customer, created AS time, contact_name, company, industry, phone, email, channel, origin,
  {'erpnext': id} AS "references"
FROM leads
