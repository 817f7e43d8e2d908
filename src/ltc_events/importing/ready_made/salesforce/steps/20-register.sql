/*
rows = "accounts"
if_new = "customer.register"
if_changed = "customer.update_profile"
*/
SELECT customer AS subject, created AS time, modified AS changed,
  {'name': name, 'industry': industry, 'phone': phone, 'website': website, 'region': city} AS profile,
  {'salesforce': id} AS "references"
FROM accounts
