/*
rows = "deals"
command = "lead.screen"
order = "won"
*/
-- What became of a lead is known of those alone that a deal came of. One deal is won before its first contact: both dates stay
-- as the source has them (policy `business_dates`).
SELECT lead AS subject, customer, won AS time, development_rep AS actor,
  true AS specific_customer, true AS potential_intent, true AS can_take_part
FROM deals
