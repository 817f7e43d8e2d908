SELECT name AS order_name, item.name AS id, ltc_integer(item.idx) AS line, item.item_code AS sku,
  coalesce(item.item_name, item.item_code) AS description, ltc_amount(item.qty, '1234.56') AS quantity,
  ltc_amount(item.net_amount, '1234.56') AS net
FROM (SELECT name, unnest(from_json(items, '[{"name": "VARCHAR", "idx": "VARCHAR", "item_code": "VARCHAR",
    "item_name": "VARCHAR", "qty": "VARCHAR", "net_amount": "VARCHAR"}]')) AS item FROM sales_order)
