-- Quotes that wait for the customer's answer after the last day on which it could be given.
SELECT customer_id, quote_id AS subject, concat_ws('/', quote_id, revision, valid_until) AS occasion,
       (valid_until + 1)::timestamp AT TIME ZONE 'UTC' AS at, '{}'::jsonb AS data
FROM ltc_read.quotes
WHERE status = 'sent' AND valid_until < %(today)s::date
ORDER BY valid_until, quote_id
