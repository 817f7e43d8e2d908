/*
rows = "opportunities"
if_new = "opportunity.open"
if_changed = ["opportunity.change_amount", "opportunity.change_close_date", "opportunity.change_title", "opportunity.change_owner", "opportunity.advance_stage",
  "opportunity.move_stage_back"]
vanished = "report"
*/
SELECT opportunity AS subject, customer, created AS time, modified AS changed, title, amount, 'CNY' AS currency,
  closing AS expected_close_on, owner, CASE WHEN stage NOT IN ('won', 'lost') THEN stage END AS stage,
  '以简道云为准' AS reason, {'jiandaoyun': id} AS "references"
FROM opportunities
