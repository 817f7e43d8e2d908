/*
rows = "leads"
command = "lead.convert"
unless = "converted"
*/
SELECT lead AS subject, customer, greatest(created, CAST(opened AS TIMESTAMP)) AS time, opportunity AS opportunity_id,
  'intent_to_buy' AS evidence, 'An opportunity was opened in ERPNext' AS evidence_note, true AS can_take_part, title, amount,
  currency, closing AS expected_close_on
FROM leads WHERE opportunity IS NOT NULL
