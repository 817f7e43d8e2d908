-- ERPNext may date a payment before an invoice that it is reconciled with later.
SELECT name AS payment_name, list({'invoice_id': ltc_id('invoice', part.reference_name),
  'amount': ltc_amount(part.allocated_amount, '1234.56')} ORDER BY part.reference_name) AS parts,
  max(invoices.issued) AS issued
FROM (SELECT name, unnest(from_json("references", '[{"reference_doctype": "VARCHAR", "reference_name": "VARCHAR",
    "allocated_amount": "VARCHAR"}]')) AS part FROM payment_entry)
LEFT JOIN invoices ON invoices.id = part.reference_name
WHERE part.reference_doctype = 'Sales Invoice' GROUP BY name
