SELECT id, ltc_id('customer', id) AS customer, coalesce("Name", "Description", "Email") AS name,
  CASE WHEN ltc_is_email("Email") THEN "Email" END AS email,
  ltc_time("Created (UTC)", '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S') AS created
FROM customer
