/*
rows = "returns"
command = "credit_note.issue"
*/
WITH lines AS (
  SELECT back.invoice_name, list({'line': sold.line, 'quantity': abs(back.quantity)} ORDER BY sold.line) AS lines
  FROM invoice_items AS back JOIN invoice_items AS sold ON sold.id = back.returned_item GROUP BY back.invoice_name
)
SELECT credit_note AS subject, customer, issued AS time, invoice AS invoice_id, id AS number, 'other' AS reason,
  'Return ' || id || ' in ERPNext' AS note, CASE WHEN NOT in_full THEN lines END AS lines
FROM returns LEFT JOIN lines ON lines.invoice_name = id
