/*
rows = "opportunities"
command = "opportunity.lose"
unless = "lost"
*/
SELECT opportunity AS subject, customer, coalesce(closed, modified) AS time, 'other' AS reason,
  coalesce(lost_as, 'Lost in Odoo, without a reason') AS note
FROM opportunities WHERE stage = 'lost' AND left_out IS NULL
