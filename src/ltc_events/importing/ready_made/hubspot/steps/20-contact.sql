/*
rows = "contact"
command = "customer.add_contact"
*/
SELECT companies.customer AS subject, ltc_time("Create Date", '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S') AS time,
  CASE WHEN "Associated Company IDs (Primary)" IS NULL THEN 'the contact has no company' END AS skip,
  ltc_id('contact', contact."Record ID") AS contact_id,
  coalesce(nullif(concat_ws(' ', "First Name", "Last Name"), ''), "Email", 'unnamed') AS name, "Job Title" AS role,
  CASE WHEN ltc_is_phone(contact."Phone Number") THEN contact."Phone Number" END AS phone,
  CASE WHEN ltc_is_email("Email") THEN "Email" END AS email
FROM contact LEFT JOIN companies ON companies.id = "Associated Company IDs (Primary)"
