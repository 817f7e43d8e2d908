SELECT "合同编号" AS id, ltc_id('contract', "合同编号") AS "order", ltc_code("合同编号") AS sku, "合同名称" AS title,
  ltc_needed(customers.customer, '客户表里没有这个客户编号') AS customer, ltc_amount("合同金额", '1,234.56') AS amount,
  ltc_date("签订日期", '%Y-%m-%d', '%Y/%m/%d') AS signed,
  CASE WHEN "商机编号" IS NOT NULL THEN ltc_id('opportunity', "商机编号") END AS opportunity
FROM contract LEFT JOIN customers ON customers.id = contract."客户编号"
