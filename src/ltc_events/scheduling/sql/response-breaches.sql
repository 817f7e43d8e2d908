-- (Not before the date of the lead: noon UTC is on no earlier date in any time zone.) Open leads that nobody answered by the time they were promised an answer, and of which that was not yet said.
SELECT l.customer_id, l.lead_id AS subject, l.lead_id::text AS occasion,
       greatest(l.response_due_at + interval '1 second', (l.effective_on + time '12:00') AT TIME ZONE 'UTC') AS at, '{}'::jsonb AS data
FROM ltc_read.leads l
WHERE l.first_response_at IS NULL
    AND l.response_due_at <= %(now)s::timestamptz - interval '1 second'
    AND l.status IN ('captured', 'accepted', 'qualified')
    AND NOT EXISTS (SELECT FROM ltc_read.lead_steps s WHERE s.lead_id = l.lead_id AND s.step = 'response_breached')
ORDER BY l.response_due_at, l.lead_id
