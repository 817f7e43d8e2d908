SELECT lead.name AS id, ltc_id('lead', lead.name) AS lead, ltc_id('prospect', lead.name) AS customer, lead.lead_name AS contact_name,
  lead.company_name AS company, lead.industry, lead.lead_owner AS owner, lead.status,
  CASE WHEN ltc_is_email(lead.email_id) THEN lead.email_id END AS email,
  CASE WHEN ltc_is_phone(lead.mobile_no) THEN lead.mobile_no END AS phone,
  ltc_word('channel', lead.source) AS channel, lead.source AS origin,
  ltc_time(left(lead.creation, 19), '%Y-%m-%d %H:%M:%S') AS created,
  ltc_time(left(lead.modified, 19), '%Y-%m-%d %H:%M:%S') AS modified,
  opportunities.opportunity, opportunities.title, opportunities.amount, opportunities.currency, opportunities.closing,
  opportunities.opened
FROM lead LEFT JOIN opportunities ON is_first_of_lead AND party_name = lead.name
