/*
rows = "partners"
command = "customer.add_contact"
*/
SELECT customer AS subject, created AS time, ltc_id('contact', id) AS contact_id, name, role, phone, email
FROM partners WHERE parent IS NOT NULL
