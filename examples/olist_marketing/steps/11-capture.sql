/*
rows = "leads"
command = "lead.capture"
*/
SELECT ltc_id('lead', id) AS subject, customer, first_contact AS time, channel, origin,
  {'olist_lead': id, 'landing_page': landing_page} AS "references"
FROM leads
