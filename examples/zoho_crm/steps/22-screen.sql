/*
rows = "leads"
command = "lead.screen"
*/
-- CONVERTED decides, not the status: 737 leads marked Junk or Lost became potentials all the same. The mark is kept with the
-- lead (`zoho_status`), and the lead is taken for what became of it.
SELECT lead AS subject, customer, created AS time, owner AS actor, true AS specific_customer,
  converted OR status <> 'Junk Lead' AS potential_intent, true AS can_take_part,
  CASE WHEN status = 'Junk Lead' AND NOT converted THEN 'Junk Lead in the CRM' END AS reason
FROM leads
