/*
rows = "campaigns"
command = "campaign.launch"
*/
SELECT campaign AS subject, starts_on AS time, 'zoho_crm import' AS actor FROM campaigns WHERE status <> 'Planning'
