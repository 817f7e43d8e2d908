SELECT "回款编号" AS id, ltc_id('receipt', "回款编号") AS payment,
  ltc_needed(contracts.customer, '合同表里没有这个合同编号') AS customer, ltc_amount("回款金额", '1,234.56') AS amount,
  ltc_date("回款日期", '%Y-%m-%d', '%Y/%m/%d') AS received, ltc_word('method', "回款方式") AS method,
  invoice."发票号码" AS invoice_number, ltc_id('invoice', receipt."发票号码") AS invoice
FROM receipt LEFT JOIN contracts ON contracts.id = receipt."合同编号"
LEFT JOIN invoice ON invoice."发票号码" = receipt."发票号码"
