/*
rows = "customers"
if_new = "customer.register"
if_changed = "customer.update_profile"
*/
SELECT customer AS subject, created AS time, modified AS changed,
  {'name': name, 'industry': industry, 'region': region, 'country': 'CN', 'phone': phone} AS profile,
  {'jiandaoyun': id} AS "references"
FROM customers
