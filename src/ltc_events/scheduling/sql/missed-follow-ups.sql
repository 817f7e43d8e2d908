-- Follow-ups of open leads whose time has passed, neither done nor said to be missed.
SELECT f.customer_id, f.lead_id AS subject, f.lead_id || '/' || f.follow_up_id AS occasion,
       f.due_at + interval '1 second' AS at, jsonb_build_object('follow_up_id', f.follow_up_id) AS data
FROM ltc_read.follow_ups f
JOIN ltc_read.leads l USING (lead_id)
WHERE f.due_at <= %(now)s::timestamptz - interval '1 second'
    AND f.missed_position IS NULL AND f.done_position IS NULL
    AND l.status IN ('captured', 'accepted', 'qualified')
ORDER BY f.due_at, f.lead_id, f.follow_up_id
