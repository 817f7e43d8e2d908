SELECT account.Id AS id, account.Name AS name, coalesce(ltc_id('prospect', lead_id), ltc_id('account', account.Id)) AS customer,
  ltc_time(left(replace(account.CreatedDate, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S') AS created,
  ltc_time(left(replace(account.LastModifiedDate, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S') AS modified,
  account.Industry AS industry, account.Website AS website, account.BillingCity AS city,
  CASE WHEN ltc_is_phone(account.Phone) THEN account.Phone END AS phone, owner.Name AS owner
FROM account LEFT JOIN conversions ON account_id = account.Id AND made_account LEFT JOIN owner ON owner.Id = account.OwnerId
