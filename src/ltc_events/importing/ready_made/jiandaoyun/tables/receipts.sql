SELECT "回款编号" AS id, ltc_id('receipt', "回款编号") AS payment,
  ltc_needed(contracts.customer, '合同表里没有这个合同编号') AS customer, ltc_amount("回款金额", '1,234.56') AS amount,
  ltc_date("回款日期", '%Y-%m-%d', '%Y/%m/%d') AS received, ltc_word('method', "回款方式") AS method,
  receipt."发票号码" AS invoice_number, ltc_id('invoice', receipt."发票号码") AS invoice, invoices.issued,
  ltc_refuse(receipt."发票号码" IS NOT NULL AND invoices.id IS NULL, '开票表里没有这个发票号码: ' || receipt."发票号码",
    '请导出全部开票记录') AS checked
FROM receipt LEFT JOIN contracts ON contracts.id = receipt."合同编号"
LEFT JOIN invoices ON invoices.id = receipt."发票号码"
