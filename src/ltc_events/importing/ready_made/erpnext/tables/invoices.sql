-- ERPNext rounds to the smallest fraction of the currency, which the document does not say: the largest that leads to the rounded total
-- is taken. Where that is a cent, both totals are the same.
SELECT documents.*, CASE WHEN payable = exact THEN NULL
    WHEN payable % 1 = 0 AND abs(payable - exact) <= 0.5 THEN 1
    WHEN payable % 0.5 = 0 AND abs(payable - exact) <= 0.25 THEN 0.5
    WHEN payable % 0.1 = 0 AND abs(payable - exact) <= 0.05 THEN 0.1
    WHEN payable % 0.05 = 0 AND abs(payable - exact) <= 0.025 THEN 0.05
    ELSE payable END AS rounding, ltc_id('invoice', id) AS invoice,
  CASE WHEN order_name IS NULL THEN ltc_id('order of invoice', id) ELSE ltc_id('order', order_name) END AS "order"
FROM documents WHERE NOT is_return
