/*
rows = "campaigns"
command = "campaign.record_cost"
*/
SELECT campaign AS subject, ends_on AS time, 'zoho_crm import' AS actor, ltc_id('cost', id) AS cost_id, cost AS amount,
  'Actual cost in the CRM' AS note
FROM campaigns
