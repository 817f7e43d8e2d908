/*
rows = "potentials"
command = "opportunity.lose"
*/
SELECT opportunity AS subject, customer, closing AS time, owner AS actor, 'other' AS reason,
  'Closed Lost in the CRM, which keeps no reason' AS note
FROM potentials JOIN leads ON leads.id = lead_id WHERE stage = 'lost'
