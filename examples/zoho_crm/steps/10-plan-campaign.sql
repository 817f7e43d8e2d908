/*
rows = "campaigns"
command = "campaign.plan"
*/
SELECT campaign AS subject, created AS time, 'zoho_crm import' AS actor, title, channel, budget, expected_revenue,
  'USD' AS currency, starts_on, ends_on, {'zoho': id} AS "references"
FROM campaigns
