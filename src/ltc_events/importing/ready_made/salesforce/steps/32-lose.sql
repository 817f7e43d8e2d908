/*
rows = "opportunities"
command = "opportunity.lose"
unless = "lost"
*/
SELECT opportunity AS subject, customer, least(CAST(closing AS TIMESTAMP), modified) AS time, 'other' AS reason,
  'Closed Lost in Salesforce, which keeps no reason' AS note
FROM opportunities WHERE stage = 'lost'
