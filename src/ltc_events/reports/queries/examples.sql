-- What a demonstration shows.

-- name: eventful_invoice
-- One with a whole history: from a lead, with a credit note beside the payment if there is one, and settled.
SELECT i.number FROM ltc_read.invoices i LEFT JOIN ltc_read.opportunities o USING (opportunity_id)
ORDER BY (o.lead_id IS NOT NULL) DESC, (i.credited > 0 AND i.paid > 0) DESC, (i.status = 'settled') DESC, i.number LIMIT 1
