/*
rows = "deals"
if_new = "opportunity.open"
if_changed = ["opportunity.change_amount", "opportunity.change_close_date", "opportunity.change_title", "opportunity.change_owner", "opportunity.advance_stage",
  "opportunity.move_stage_back"]
vanished = "report"
*/
SELECT opportunity AS subject, customer, created AS time, modified AS changed, title, amount, currency,
  CAST(closing AS DATE) AS expected_close_on, channel, owner, CASE WHEN stage NOT IN ('won', 'lost') THEN stage END AS stage,
  'as HubSpot has it' AS reason, {'hubspot': id} AS "references"
FROM deals
