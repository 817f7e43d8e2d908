/*
rows = "leads"
command = "lead.qualify"
*/
SELECT lead AS subject, customer, CASE WHEN converted THEN potentials.created ELSE leads.created END AS time, owner AS actor,
  'Not stated in the export; ' || CASE WHEN converted THEN 'a potential was opened' ELSE 'marked Pre Qualified' END AS need
FROM leads LEFT JOIN potentials ON potentials.lead_id = leads.id WHERE converted OR status = 'Pre Qualified'
