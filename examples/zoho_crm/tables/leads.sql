SELECT LEADID AS id, ltc_id('lead', LEADID) AS lead, "Last Name" AS name, ltc_word('company', Company) AS company,
  ltc_id('customer', ltc_word('company', Company)) AS customer, "Lead Owner" AS owner, Email AS email, Mobile AS mobile,
  Website AS website, Industry AS industry, "Lead Source" AS source, ltc_word('channel', "Lead Source") AS channel,
  "Lead Status" AS status, ltc_time("Created Time", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS created,
  ltc_boolean(CONVERTED) AS converted
FROM leads
