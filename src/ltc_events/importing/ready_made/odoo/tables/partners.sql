-- A person of a company or of a branch of it is a contact of the company; everybody else is a customer.
SELECT id, CASE WHEN "commercial_partner_id/id" <> id THEN "commercial_partner_id/id" END AS parent,
  ltc_id('partner', coalesce("commercial_partner_id/id", id)) AS customer, name, city, vat, website,
  "function" AS role, CASE WHEN ltc_is_email(email) THEN email END AS email, CASE WHEN ltc_is_phone(phone) THEN phone END AS phone,
  CASE WHEN "country_id/id" = 'base.uk' THEN 'GB' ELSE upper(regexp_extract("country_id/id", '^base\.([a-z]{2})$', 1)) END AS country,
  ltc_time(create_date, '%Y-%m-%d %H:%M:%S') AS created, ltc_time(write_date, '%Y-%m-%d %H:%M:%S') AS modified
FROM partner
