SELECT LEADID AS lead_id, "Potential Name" AS title, ltc_time("Created Time", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS created,
  ltc_time("Closing Date", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS closing, ltc_amount("Amount", '1,234.56', '$') AS amount,
  ltc_word('stage', Stage) AS stage, "Lead Source" AS source, "Type" AS business, "Campaign Id" AS campaign_id,
  ltc_id('opportunity', LEADID) AS opportunity
FROM potentials
