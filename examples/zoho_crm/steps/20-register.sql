/*
rows = "leads"
command = "customer.register"
once = true
*/
-- A lead belongs to the customer of its company's name. The first lead of a company registers it.
SELECT customer AS subject, created AS time, owner AS actor,
  {'name': company, 'industry': industry, 'phone': mobile, 'email': email, 'website': website} AS profile
FROM leads
