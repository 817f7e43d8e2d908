-- Leads that were converted, each with what came of it. An account that was made by a conversion is as old as this, to the day of
-- some time zone; the first lead that it came of names the customer from then on.
SELECT lead.Id AS lead_id, ConvertedAccountId AS account_id, ConvertedOpportunityId AS deal_id,
  row_number() OVER (PARTITION BY ConvertedAccountId ORDER BY lead.Id) = 1
    AND abs(date_diff('day', ltc_date(left(ConvertedDate, 10), '%Y-%m-%d'),
      CAST(ltc_time(left(replace(account.CreatedDate, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S') AS DATE))) <= 1 AS made_account
FROM lead JOIN account ON account.Id = ConvertedAccountId WHERE ltc_boolean(IsConverted)
