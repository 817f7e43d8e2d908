-- Of invoices and returns; a return has negative quantities, and names the items that it gives back.
SELECT name AS invoice_name, item.name AS id, ltc_integer(item.idx) AS idx,
  row_number() OVER (PARTITION BY name ORDER BY ltc_integer(item.idx)) AS line, item.item_code AS sku,
  coalesce(item.item_name, item.item_code) AS description, ltc_amount(item.qty, '1234.56') AS quantity,
  ltc_amount(item.net_amount, '1234.56') AS net, item.sales_order AS order_name, item.so_detail AS order_item,
  item.sales_invoice_item AS returned_item
FROM (SELECT name, unnest(from_json(items, '[{"name": "VARCHAR", "idx": "VARCHAR", "item_code": "VARCHAR",
    "item_name": "VARCHAR", "qty": "VARCHAR", "net_amount": "VARCHAR", "sales_order": "VARCHAR", "so_detail": "VARCHAR",
    "sales_invoice_item": "VARCHAR"}]')) AS item FROM sales_invoice)
