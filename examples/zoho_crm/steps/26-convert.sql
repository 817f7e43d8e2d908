/*
rows = "leads"
command = "lead.convert"
*/
-- Potentials may have been opened before their lead was written down (1,819 were): times are kept as the source has them.
-- The potential often names another source than its lead (only 321 agree). The lead's counts; the other is noted.
SELECT lead AS subject, customer, potentials.created AS time, owner AS actor, opportunity AS opportunity_id,
  'intent_to_buy' AS evidence, 'Potential of ' || coalesce(business, 'business not said') || ', by its own account from '
    || coalesce(potentials.source, 'nowhere') AS evidence_note,
  true AS can_take_part, title, amount, 'USD' AS currency, CAST(closing AS DATE) AS expected_close_on
FROM leads LEFT JOIN potentials ON potentials.lead_id = leads.id WHERE converted
