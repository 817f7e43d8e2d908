SELECT documents.*, ltc_id('invoice', id) AS invoice,
  CASE WHEN order_name IS NULL THEN ltc_id('order of invoice', id) ELSE ltc_id('order', order_name) END AS "order"
FROM documents WHERE NOT is_return
