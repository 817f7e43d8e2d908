-- Deals without an amount are worth nothing yet. A closed deal has no stage that could be gone on from.
-- Amounts of ten million and more are written as 1.2E7.
WITH parts AS (
  SELECT Id AS id, Amount AS amount, regexp_matches(Amount, '^[0-9]\.[0-9]+E[0-9]$') AS is_long,
    rpad(regexp_extract(Amount, '^([0-9])', 1) || regexp_extract(Amount, '\.([0-9]+)E', 1), 12, '0') AS digits,
    1 + CAST('0' || regexp_extract(Amount, 'E([0-9])$', 1) AS INTEGER) AS places
  FROM opportunity
), written AS (
  SELECT id, CASE WHEN is_long THEN left(digits, places) || '.' || substr(digits, places + 1) ELSE amount END AS amount FROM parts
)
SELECT opportunity.Id AS id, ltc_id('opportunity', opportunity.Id) AS opportunity,
  ltc_needed(accounts.customer, 'the deal has no account in Account.csv') AS customer, opportunity.Name AS title,
  coalesce(ltc_amount(written.amount, '1234.56'), 0) AS amount, 'USD' AS currency,
  ltc_date(left(opportunity.CloseDate, 10), '%Y-%m-%d') AS closing, ltc_word('stage', opportunity.StageName) AS stage,
  ltc_word('channel', opportunity.LeadSource) AS channel, owner.Name AS owner,
  ltc_time(left(replace(opportunity.CreatedDate, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S') AS created,
  ltc_time(left(replace(opportunity.LastModifiedDate, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S') AS modified
FROM opportunity LEFT JOIN written ON written.id = opportunity.Id
LEFT JOIN accounts ON accounts.id = opportunity.AccountId LEFT JOIN owner ON owner.Id = opportunity.OwnerId
