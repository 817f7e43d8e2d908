/*
rows = "customers"
if_new = "customer.register"
if_changed = "customer.update_profile"
*/
SELECT customer AS subject, created AS time, {'name': name, 'email': email} AS profile, {'stripe': id} AS "references"
FROM customers
