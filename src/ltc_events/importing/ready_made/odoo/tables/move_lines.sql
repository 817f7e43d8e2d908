SELECT move_rows.*, row_number() OVER (PARTITION BY move_id ORDER BY move_rows._row) AS line,
  order_lines.order_id, order_lines.line AS order_place
FROM move_rows LEFT JOIN order_lines ON order_lines.id = order_line WHERE move_rows.quantity <> 0
