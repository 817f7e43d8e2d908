/*
rows = "deals"
command = "lead.convert"
*/
-- The source prices no deal; what a seller declared to turn over in a month is no price of ours either, and is noted.
SELECT lead AS subject, customer, won AS time, sales_rep AS actor, opportunity AS opportunity_id, 'intent_to_buy' AS evidence,
  'Signed as a seller; declared monthly revenue ' || rtrim(rtrim(monthly_revenue::VARCHAR, '0'), '.') || ', behaviour '
    || coalesce(behaviour, 'not said') AS evidence_note,
  true AS can_take_part, 'Seller in ' || coalesce(segment, 'a segment not said') AS title, 0 AS amount, 'BRL' AS currency
FROM deals
