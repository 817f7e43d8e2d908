-- Quotes that wait for the customer's answer after the last day on which it could be given; one that was sent later expires then.
WITH ended AS (
    SELECT q.customer_id, q.quote_id, q.revision, q.valid_until,
           greatest(q.valid_until + 1,
                    (SELECT max(s.effective_on) FROM ltc_read.quote_steps s WHERE s.quote_id = q.quote_id)) AS expires_on
    FROM ltc_read.quotes q
    WHERE q.status = 'sent' AND q.valid_until < %(today)s::date
)
SELECT customer_id, quote_id AS subject, concat_ws('/', quote_id, revision, valid_until) AS occasion,
       expires_on::timestamp AT TIME ZONE 'UTC' AS at, jsonb_build_object('effective_on', expires_on) AS data
FROM ended
WHERE expires_on <= %(today)s::date
ORDER BY valid_until, quote_id
