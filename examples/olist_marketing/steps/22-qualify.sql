/*
rows = "deals"
command = "lead.qualify"
*/
SELECT lead AS subject, customer, won AS time, development_rep AS actor,
  'Sell on the marketplace: ' || coalesce(segment, 'segment not said') || ', ' || coalesce(lead_type, 'type not said') AS need
FROM deals
