-- A customer that was made from a lead is the prospect that this lead has been of.
SELECT name AS id, coalesce(ltc_id('prospect', lead_name), ltc_id('customer', name)) AS customer, customer_name AS title, industry,
  territory, website, tax_id, CASE WHEN ltc_is_email(email_id) THEN email_id END AS email,
  CASE WHEN ltc_is_phone(mobile_no) THEN mobile_no END AS phone,
  ltc_time(left(creation, 19), '%Y-%m-%d %H:%M:%S') AS created, ltc_time(left(modified, 19), '%Y-%m-%d %H:%M:%S') AS modified
FROM customer
