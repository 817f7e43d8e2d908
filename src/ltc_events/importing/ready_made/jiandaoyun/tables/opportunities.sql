SELECT "商机编号" AS id, ltc_id('opportunity', "商机编号") AS opportunity, "商机名称" AS title,
  ltc_needed(customers.customer, '客户表里没有这个客户编号') AS customer, ltc_word('stage', "商机阶段") AS stage,
  coalesce(ltc_amount("预计金额", '1,234.56'), 0) AS amount, ltc_date("预计成交日期", '%Y-%m-%d', '%Y/%m/%d') AS closing,
  opportunity."负责人" AS owner, "输单原因" AS lost_as, ltc_time(opportunity."提交时间", '%Y-%m-%d %H:%M:%S') AS created,
  ltc_time(opportunity."更新时间", '%Y-%m-%d %H:%M:%S') AS modified
FROM opportunity LEFT JOIN customers ON customers.id = opportunity."客户编号"
