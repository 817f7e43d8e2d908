/*
rows = "leads"
command = "customer.register"
*/
SELECT customer AS subject, first_contact AS time, {'name': CAST(NULL AS VARCHAR)} AS profile, {'olist_lead': id} AS "references"
FROM leads
