SELECT order_id, ltc_integer(order_item_id) AS number, product_id, seller_id,
  ltc_amount(price, '1234.56') AS price, ltc_amount(freight_value, '1234.56') AS freight
FROM items
