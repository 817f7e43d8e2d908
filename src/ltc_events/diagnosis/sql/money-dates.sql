-- Movements of money that are dated before their document, the first ones of all.
SELECT m.position, m.item AS what, m.item_id AS id, i.number, m.kind, m.effective_on, i.document_on AS earliest,
       count(*) OVER () AS total
FROM ltc_read.open_item_movements m
JOIN ltc_read.open_items i USING (item_id, instalment)
WHERE m.effective_on < i.document_on
ORDER BY m.position, m.line_no
LIMIT %(limit)s
