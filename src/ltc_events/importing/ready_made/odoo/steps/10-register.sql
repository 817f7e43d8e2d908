/*
rows = "partners"
if_new = "customer.register"
if_changed = "customer.update_profile"
*/
SELECT customer AS subject, created AS time, modified AS changed,
  {'name': name, 'region': city, 'country': nullif(country, ''), 'phone': phone, 'email': email, 'website': website,
    'registration_number': vat} AS profile,
  {'odoo': id} AS "references"
FROM partners WHERE parent IS NULL
