-- A lead is of a prospect of its own, who becomes the customer of the account that its conversion made.
SELECT lead.Id AS id, ltc_id('lead', lead.Id) AS lead, ltc_id('prospect', lead.Id) AS customer,
  concat_ws(' ', lead.FirstName, lead.LastName) AS name, lead.Company AS company, lead.Industry AS industry,
  CASE WHEN ltc_is_email(lead.Email) THEN lead.Email END AS email,
  CASE WHEN ltc_is_phone(lead.Phone) THEN lead.Phone END AS phone,
  ltc_word('channel', lead.LeadSource) AS channel, lead.LeadSource AS source, owner.Name AS owner,
  CASE WHEN ltc_boolean(lead.IsConverted) THEN 'converted' ELSE ltc_word('lead_status', lead.Status) END AS status, lead.Status AS status_there,
  ltc_time(left(replace(lead.CreatedDate, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S') AS created,
  ltc_time(left(replace(lead.LastModifiedDate, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S') AS modified,
  CASE WHEN made_account AND deal_id IS NOT NULL THEN ltc_id('opportunity', deal_id) END AS deal, deal_id, account_id,
  coalesce(made_account, false) AS made_account
FROM lead LEFT JOIN conversions ON lead_id = lead.Id LEFT JOIN owner ON owner.Id = lead.OwnerId
