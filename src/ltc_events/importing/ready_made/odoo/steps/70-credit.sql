/*
rows = "credit_notes"
command = "credit_note.issue"
*/
SELECT credit_note AS subject, customer, issued AS time, invoice AS invoice_id, number, 'other' AS reason,
  'Credit note ' || number || ' in Odoo' AS note
FROM credit_notes
