SELECT order_rows.*, row_number() OVER (PARTITION BY order_id ORDER BY _row) AS line FROM order_rows WHERE quantity <> 0
