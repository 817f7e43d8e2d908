-- A lost opportunity is an archived one: export with the filter "Archived" as well.
WITH read AS (
  SELECT crm_lead.id, crm_lead.name AS title, ltc_word('kind', type) AS kind, "partner_id/id" AS partner_id,
    CASE WHEN NOT ltc_boolean(active) THEN 'lost' ELSE ltc_word('stage', stage_id) END AS stage, lost_reason_id AS lost_as,
    coalesce(ltc_amount(expected_revenue, '1234.56'), 0) AS amount, user_id AS owner,
    ltc_date(date_deadline, '%Y-%m-%d') AS closing, ltc_time(date_closed, '%Y-%m-%d %H:%M:%S') AS closed,
    ltc_time(create_date, '%Y-%m-%d %H:%M:%S') AS created, ltc_time(write_date, '%Y-%m-%d %H:%M:%S') AS modified
  FROM crm_lead
)
SELECT read.*, ltc_id('opportunity', read.id) AS opportunity, partners.customer,
  CASE WHEN kind = 'lead' THEN 'it is a lead' WHEN partner_id IS NULL THEN 'it has no customer yet' END AS left_out,
  CASE WHEN kind = 'opportunity' AND partner_id IS NOT NULL
    THEN ltc_needed(partners.id, 'the customer is not among the contacts') END AS checked
FROM read LEFT JOIN partners ON partners.id = partner_id
