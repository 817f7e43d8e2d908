-- A person of a company is a contact of it; everybody else is a customer.
SELECT id, "parent_id/id" AS parent, ltc_id('partner', coalesce("parent_id/id", id)) AS customer, name, city, vat, website,
  "function" AS role, CASE WHEN ltc_is_email(email) THEN email END AS email, CASE WHEN ltc_is_phone(phone) THEN phone END AS phone,
  CASE WHEN "country_id/id" = 'base.uk' THEN 'GB' ELSE upper(regexp_extract("country_id/id", '^base\.([a-z]{2})$', 1)) END AS country,
  ltc_time(create_date, '%Y-%m-%d %H:%M:%S') AS created, ltc_time(write_date, '%Y-%m-%d %H:%M:%S') AS modified
FROM partner
