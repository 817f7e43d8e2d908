/*
command = "customer.register"
*/
SELECT ltc_id('customer', '(not stated in the export)') AS subject, TIMESTAMP '2018-01-01 00:00:00' AS time,
  'zoho_crm import' AS actor, {'name': '(not stated in the export)'} AS profile
