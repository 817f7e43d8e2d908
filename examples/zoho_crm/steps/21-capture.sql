/*
rows = "leads"
command = "lead.capture"
*/
-- Only potentials name a campaign; it is where their lead came from.
SELECT lead AS subject, customer, leads.created AS time, owner AS actor, name AS contact_name, company, mobile AS phone, email,
  industry, channel, leads.source AS origin, ltc_id('campaign', campaign_id) AS campaign_id, owner AS captured_by,
  {'zoho': id, 'zoho_status': status} AS "references"
FROM leads LEFT JOIN potentials ON potentials.lead_id = leads.id
