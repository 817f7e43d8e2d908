-- Running contracts of which notice must be given soon, if it is to be, and of whose present term that was not yet said.
WITH running AS (
    SELECT customer_id, contract_id, ends_on,
           greatest(ends_on - notice_days - %(ahead_days)s::int, signed_on, starts_on,
                    (SELECT max(v.effective_on) FROM ltc_read.contract_versions v WHERE v.contract_id = c.contract_id)) AS due_on
    FROM ltc_read.contracts c
    WHERE status = 'active' AND ends_on >= %(today)s::date
), term AS (
    SELECT r.*, (SELECT max(v.position) FROM ltc_read.contract_versions v WHERE v.contract_id = r.contract_id) AS since
    FROM running r
    WHERE r.due_on <= %(today)s::date
)
SELECT t.customer_id, t.contract_id AS subject, concat_ws('/', t.contract_id, t.ends_on) AS occasion,
       t.due_on::timestamp AT TIME ZONE 'UTC' AS at, jsonb_build_object('effective_on', t.due_on) AS data
FROM term t
WHERE NOT EXISTS (
    SELECT FROM ltc_read.timeline l
    WHERE l.customer_id = t.customer_id AND l.subject = t.contract_id AND l.type = 'contract.renewal_due.v1' AND l.position > t.since
)
ORDER BY t.due_on, t.contract_id
