/*
rows = "leads"
command = "lead.convert"
unless = "converted"
*/
SELECT lead AS subject, leads.customer, opportunities.created AS time, deal AS opportunity_id, 'intent_to_buy' AS evidence,
  'Converted in Salesforce' AS evidence_note, true AS can_take_part, title, amount, currency, closing AS expected_close_on
FROM leads LEFT JOIN opportunities ON opportunities.id = deal_id WHERE deal IS NOT NULL
