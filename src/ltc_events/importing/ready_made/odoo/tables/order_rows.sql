SELECT order_id, "order_line/id" AS id,
  "order_line/name" AS description, regexp_extract("order_line/product_id", '^\[([^\]]+)\]', 1) AS sku,
  ltc_amount("order_line/product_uom_qty", '1234.56') AS quantity, ltc_amount("order_line/price_subtotal", '1234.56') AS net,
  ltc_amount(ltc_word('tax', "order_line/tax_id"), '1234.56') AS rate
FROM last_orders
