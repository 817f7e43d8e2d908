-- Odoo does not say which lines of an invoice a credit note of a part is of.
SELECT documents.*, ltc_id('credit_note', documents.id) AS credit_note, ltc_id('invoice', documents.reverses) AS invoice,
  ltc_needed(invoices.total, 'the invoice that it reverses is not in the export') AS reversed,
  ltc_refuse(documents.total <> invoices.total, 'it credits a part of ' || invoices.number,
    'enter it by hand: Odoo does not say of which lines') AS in_full
FROM documents LEFT JOIN invoices ON invoices.id = documents.reverses WHERE documents.kind = 'credit note'
