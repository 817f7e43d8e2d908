-- Deals without an amount are worth nothing yet. A closed deal has no stage that could be gone on from.
SELECT opportunity.Id AS id, ltc_id('opportunity', opportunity.Id) AS opportunity,
  ltc_needed(accounts.customer, 'the deal has no account in Account.csv') AS customer, opportunity.Name AS title,
  coalesce(ltc_amount(opportunity.Amount, '1234.56'), 0) AS amount, 'USD' AS currency,
  ltc_date(left(opportunity.CloseDate, 10), '%Y-%m-%d') AS closing, ltc_word('stage', opportunity.StageName) AS stage,
  ltc_word('channel', opportunity.LeadSource) AS channel, owner.Name AS owner,
  ltc_time(left(replace(opportunity.CreatedDate, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S') AS created,
  ltc_time(left(replace(opportunity.LastModifiedDate, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S') AS modified
FROM opportunity LEFT JOIN accounts ON accounts.id = opportunity.AccountId LEFT JOIN owner ON owner.Id = opportunity.OwnerId
