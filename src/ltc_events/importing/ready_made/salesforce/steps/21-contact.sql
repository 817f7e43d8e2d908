/*
rows = "contact"
command = "customer.add_contact"
*/
SELECT accounts.customer AS subject,
  ltc_time(left(replace(contact.CreatedDate, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S') AS time,
  CASE WHEN AccountId IS NULL THEN 'the contact has no account' END AS skip,
  ltc_id('contact', contact.Id) AS contact_id, concat_ws(' ', contact.FirstName, contact.LastName) AS name, Title AS role,
  CASE WHEN ltc_is_phone(contact.Phone) THEN contact.Phone END AS phone,
  CASE WHEN ltc_is_email(contact.Email) THEN contact.Email END AS email
FROM contact LEFT JOIN accounts ON accounts.id = AccountId
