-- Contracts that go on by themselves, once the last day for notice has passed: for another term as long as the first. The date is
-- not before the agreement on the present term.
WITH going_on AS (
    SELECT c.customer_id, c.contract_id, c.ends_on,
           greatest(c.ends_on - c.notice_days + 1, c.signed_on,
                    (SELECT max(v.effective_on) FROM ltc_read.contract_versions v WHERE v.contract_id = c.contract_id)) AS on_day
    FROM ltc_read.contracts c
    WHERE c.status = 'active' AND c.auto_renew AND c.ends_on - c.notice_days + 1 <= %(today)s::date
)
SELECT g.customer_id, g.contract_id AS subject, concat_ws('/', g.contract_id, g.ends_on) AS occasion,
       g.on_day::timestamp AT TIME ZONE 'UTC' AS at,
       jsonb_build_object('ends_on', (g.ends_on + 1 + age(v.ends_on + 1, v.starts_on))::date - 1, 'effective_on', g.on_day) AS data
FROM going_on g
JOIN ltc_read.contract_versions v ON v.contract_id = g.contract_id AND v.kind = 'signed'
WHERE g.on_day <= %(today)s::date
ORDER BY g.ends_on, g.contract_id
