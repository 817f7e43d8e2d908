SELECT "Record ID" AS id, ltc_id('company', "Record ID") AS customer, coalesce("Company name", "Company Domain Name") AS name,
  "Industry" AS industry, "City" AS city, "Company Domain Name" AS website,
  CASE WHEN ltc_is_phone("Phone Number") THEN "Phone Number" END AS phone,
  ltc_time("Create Date", '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S') AS created,
  ltc_time("Last Modified Date", '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S') AS modified
FROM company
