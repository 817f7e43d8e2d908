/*
rows = "campaigns"
command = "campaign.close"
*/
SELECT campaign AS subject, ends_on AS time, 'zoho_crm import' AS actor, status || ' in the CRM' AS reason
FROM campaigns WHERE status IN ('Complete', 'Inactive')
