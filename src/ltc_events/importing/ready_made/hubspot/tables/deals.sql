-- A stage is followed by the name of its pipeline in parentheses where there are several. Deals without an amount are worth
-- nothing yet.
SELECT deal."Record ID" AS id, ltc_id('deal', deal."Record ID") AS opportunity, "Deal Name" AS title,
  ltc_needed(companies.customer, 'the deal has no primary company in the export of companies') AS customer,
  ltc_word('stage', regexp_replace("Deal Stage", ' \([^()]*\)$', '')) AS stage,
  coalesce(ltc_amount("Amount", '1,234.56'), 0) AS amount, coalesce("Currency", 'EUR') AS currency, "Deal owner" AS owner,
  ltc_word('channel', "Original Traffic Source") AS channel, "Closed Lost Reason" AS lost_as,
  ltc_time("Close Date", '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S') AS closing,
  ltc_time("Create Date", '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S') AS created,
  ltc_time("Last Modified Date", '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S') AS modified
FROM deal LEFT JOIN companies ON companies.id = "Associated Company IDs (Primary)"
