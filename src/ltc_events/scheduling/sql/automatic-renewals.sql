-- Contracts that go on by themselves, once the last day for notice has passed: for another term as long as the first.
SELECT c.customer_id, c.contract_id AS subject, concat_ws('/', c.contract_id, c.ends_on) AS occasion,
       greatest(c.ends_on - c.notice_days + 1, c.signed_on)::timestamp AT TIME ZONE 'UTC' AS at,
       jsonb_build_object('ends_on', (c.ends_on + 1 + age(v.ends_on + 1, v.starts_on))::date - 1) AS data
FROM ltc_read.contracts c
JOIN ltc_read.contract_versions v ON v.contract_id = c.contract_id AND v.kind = 'signed'
WHERE c.status = 'active' AND c.auto_renew AND greatest(c.ends_on - c.notice_days + 1, c.signed_on) <= %(today)s::date
ORDER BY c.ends_on, c.contract_id
