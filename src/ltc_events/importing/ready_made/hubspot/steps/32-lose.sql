/*
rows = "deals"
command = "opportunity.lose"
unless = "lost"
*/
SELECT opportunity AS subject, customer, least(closing, modified) AS time, 'other' AS reason,
  coalesce(lost_as, 'Closed Lost in HubSpot, without a reason') AS note
FROM deals WHERE stage = 'lost'
