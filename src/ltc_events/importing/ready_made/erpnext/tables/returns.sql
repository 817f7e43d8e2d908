SELECT documents.*, ltc_id('credit_note', documents.id) AS credit_note, ltc_id('invoice', documents.return_against) AS invoice,
  ltc_needed(invoices.payable, 'the invoice that it returns is not in Sales Invoice.json') AS returned,
  documents.payable = invoices.payable AS in_full
FROM documents LEFT JOIN invoices ON invoices.id = documents.return_against WHERE documents.is_return
