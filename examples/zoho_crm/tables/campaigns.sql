SELECT CAMPAIGNID AS id, ltc_id('campaign', CAMPAIGNID) AS campaign, "Campaign Name" AS title, Status AS status,
  ltc_word('campaign_channel', "Type") AS channel, ltc_date("Created Time", '%Y-%m-%d') AS created,
  ltc_date("Start Date", '%Y-%m-%d') AS starts_on, ltc_date("End Date", '%Y-%m-%d') AS ends_on,
  CASE WHEN "Expected Revenue" LIKE '%K' THEN 1000 * ltc_amount(rtrim("Expected Revenue", 'K'), '1,234.56', '$') ELSE ltc_amount("Expected Revenue", '1,234.56', '$') END AS expected_revenue,
  CASE WHEN "Budgeted Cost" LIKE '%K' THEN 1000 * ltc_amount(rtrim("Budgeted Cost", 'K'), '1,234.56', '$') ELSE ltc_amount("Budgeted Cost", '1,234.56', '$') END AS budget,
  CASE WHEN "Actual Cost" LIKE '%K' THEN 1000 * ltc_amount(rtrim("Actual Cost", 'K'), '1,234.56', '$') ELSE ltc_amount("Actual Cost", '1,234.56', '$') END AS cost
FROM campaigns
