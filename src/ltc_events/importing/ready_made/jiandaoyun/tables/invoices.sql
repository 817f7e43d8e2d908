SELECT "发票号码" AS id, ltc_id('invoice', "发票号码") AS invoice, contracts."order",
  ltc_needed(contracts.customer, '合同表里没有这个合同编号') AS customer, ltc_amount("开票金额", '1,234.56') AS amount,
  ltc_date("开票日期", '%Y-%m-%d', '%Y/%m/%d') AS issued, ltc_date("应收日期", '%Y-%m-%d', '%Y/%m/%d') AS due
FROM invoice LEFT JOIN contracts ON contracts.id = invoice."合同编号"
