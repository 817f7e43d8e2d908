/*
rows = "invoices"
command = "customer.register"
once = true
*/
-- Some accounts that are billed never were a lead's company.
SELECT ltc_id('customer', accounts.name) AS subject, created AS time, owner AS actor,
  CASE WHEN accounts.name IS NULL THEN 'the account has no name: its invoice stands under the customer not stated' END AS skip,
  {'name': accounts.name, 'industry': accounts.industry, 'website': accounts.website} AS profile
FROM invoices JOIN accounts ON accounts.id = account_id
