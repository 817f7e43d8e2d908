SELECT documents.*, ltc_id('invoice', id) AS invoice,
  CASE WHEN order_id IS NULL THEN ltc_id('order of invoice', id) ELSE ltc_id('order', order_id) END AS "order"
FROM documents WHERE kind = 'invoice'
