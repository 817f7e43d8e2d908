SELECT move_id, "invoice_line_ids/name" AS description,
  regexp_extract("invoice_line_ids/product_id", '^\[([^\]]+)\]', 1) AS sku, "invoice_line_ids/sale_line_ids/id" AS order_line,
  ltc_amount("invoice_line_ids/quantity", '1234.56') AS quantity,
  ltc_amount("invoice_line_ids/price_subtotal", '1234.56') AS net,
  ltc_amount(ltc_word('tax', "invoice_line_ids/tax_ids"), '1234.56') AS rate
FROM last_moves
