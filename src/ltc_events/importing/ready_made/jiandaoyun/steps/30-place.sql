/*
rows = "contracts"
command = "order.place"
*/
-- A contract is billed in parts of its amount: the quantity of its one line is its amount.
SELECT "order" AS subject, customer, signed AS time, 'CNY' AS currency, '简道云合同' AS reason, opportunity AS opportunity_id,
  {'jiandaoyun': id} AS "references",
  [{'line': 1, 'sku': sku, 'description': title, 'quantity': amount, 'unit_price': 1, 'tax_category': 'O', 'tax_rate': 0}] AS lines
FROM contracts
