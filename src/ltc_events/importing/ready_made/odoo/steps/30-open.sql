/*
rows = "opportunities"
if_new = "opportunity.open"
if_changed = ["opportunity.change_amount", "opportunity.change_close_date", "opportunity.change_title", "opportunity.change_owner", "opportunity.advance_stage",
  "opportunity.move_stage_back"]
vanished = "report"
*/
SELECT opportunity AS subject, customer, created AS time, modified AS changed, left_out AS skip, title, amount, 'EUR' AS currency,
  closing AS expected_close_on, owner, CASE WHEN stage NOT IN ('won', 'lost') THEN stage END AS stage,
  'as Odoo has it' AS reason, {'odoo': id} AS "references"
FROM opportunities
