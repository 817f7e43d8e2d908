/*
rows = "customers"
if_new = "customer.register"
if_changed = "customer.update_profile"
*/
SELECT customer AS subject, created AS time, modified AS changed,
  {'name': title, 'industry': industry, 'region': territory, 'phone': phone, 'email': email, 'website': website,
    'registration_number': tax_id} AS profile,
  {'erpnext': id} AS "references"
FROM customers
