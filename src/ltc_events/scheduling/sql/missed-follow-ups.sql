-- Follow-ups of open leads whose time has passed, neither done nor said to be missed. Where one was planned for a time before the
-- date of its plan, it counts from that date: noon UTC is on no earlier date in any time zone.
SELECT f.customer_id, f.lead_id AS subject, f.lead_id || '/' || f.follow_up_id AS occasion,
       greatest(f.due_at + interval '1 second', (f.effective_on + time '12:00') AT TIME ZONE 'UTC') AS at, jsonb_build_object('follow_up_id', f.follow_up_id) AS data
FROM ltc_read.follow_ups f
JOIN ltc_read.leads l USING (lead_id)
WHERE f.due_at <= %(now)s::timestamptz - interval '1 second'
    AND f.missed_position IS NULL AND f.done_position IS NULL
    AND l.status IN ('captured', 'accepted', 'qualified')
ORDER BY f.due_at, f.lead_id, f.follow_up_id
