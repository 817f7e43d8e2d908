/*
rows = "companies"
if_new = "customer.register"
if_changed = "customer.update_profile"
*/
SELECT customer AS subject, created AS time, modified AS changed,
  {'name': name, 'industry': industry, 'region': city, 'phone': phone, 'website': website} AS profile,
  {'hubspot': id} AS "references"
FROM companies
