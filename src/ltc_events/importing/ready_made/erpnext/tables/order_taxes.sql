SELECT name AS order_name, sum(ltc_amount(tax.rate, '1234.56')) AS rate
FROM (SELECT name, unnest(from_json(taxes, '[{"charge_type": "VARCHAR", "rate": "VARCHAR"}]')) AS tax FROM sales_order)
WHERE tax.charge_type = 'On Net Total' GROUP BY name
