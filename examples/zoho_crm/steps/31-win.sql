/*
rows = "potentials"
command = "opportunity.win"
*/
SELECT opportunity AS subject, customer, closing AS time, owner AS actor,
  'Closed Won in the CRM, whose quotes name no potential' AS reason
FROM potentials JOIN leads ON leads.id = lead_id WHERE stage = 'won'
