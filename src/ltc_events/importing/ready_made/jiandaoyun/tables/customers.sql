SELECT "客户编号" AS id, ltc_id('customer', "客户编号") AS customer, "客户名称" AS name, "所属行业" AS industry, "所在地区" AS region,
  CASE WHEN ltc_is_phone("联系电话") THEN "联系电话" END AS phone, ltc_time("提交时间", '%Y-%m-%d %H:%M:%S') AS created,
  ltc_time("更新时间", '%Y-%m-%d %H:%M:%S') AS modified
FROM customer
