-- Events that read tables have skipped, and customers whose later events are parked.

-- name: held
SELECT c.projection, c.version, c.partition, c.holds, (
    SELECT array_agg(l.held) FROM {letters} l
    WHERE (l.projection, l.version) = (c.projection, c.version) AND l.held IS NOT NULL AND l.settled_at IS NULL
) FROM {checkpoints} c
WHERE c.source = %s AND (c.projection, c.version) IN (SELECT * FROM unnest(%s::text[], %s::int4[]))

-- name: record_skipped
INSERT INTO {letters} (projection, version, position, event, subject, customer_id, held, cause, written_at)
SELECT %(place)s, %(version)s, e.position, %(event)s, e.stream_id, e.customer_id,
       CASE WHEN %(parks)s THEN coalesce(e.customer_id, e.stream_id) END, %(cause)s, clock_timestamp()
FROM ltc.events e WHERE e.position = %(position)s
ON CONFLICT (projection, version, position) DO UPDATE SET event = excluded.event, held = excluded.held,
    cause = excluded.cause, written_at = excluded.written_at, settled_at = NULL, settled_by = NULL

-- name: count_change
UPDATE {checkpoints} SET holds = holds + 1
WHERE projection = %s AND version = %s AND source = %s AND partition = ANY(%s)

-- name: skipped_events
SELECT b.projection, l.version, b.build, l.position, l.event, l.subject, l.customer_id, l.held, l.cause, l.written_at,
       l.settled_at, l.settled_by
FROM ltc_read.projection_letters l JOIN ltc_read.projection_builds b
    ON b.version = l.version AND l.projection = {place(b.projection, b.build)}
WHERE (%(name)s::text IS NULL OR b.projection = %(name)s) AND (%(settled)s OR l.settled_at IS NULL)
ORDER BY 1, 2, 3, 4

-- name: positions_of
SELECT position, type FROM ltc.events
WHERE coalesce(customer_id, stream_id) = %s AND position BETWEEN %s AND %s ORDER BY position

-- name: waiting
SELECT l.held, count(e.position) FROM ltc_read.projection_letters l
CROSS JOIN LATERAL (
    SELECT max(c.position) AS position FROM ltc_read.checkpoints c
    WHERE (c.projection, c.version) = (l.projection, l.version)
) c
LEFT JOIN ltc.events e ON e.position BETWEEN l.position AND c.position AND coalesce(e.customer_id, e.stream_id) = l.held
    AND e.type = ANY(%s)
WHERE l.projection = %s AND l.version = %s AND l.held IS NOT NULL AND l.settled_at IS NULL
GROUP BY l.held

-- name: holder_of
SELECT coalesce(customer_id, stream_id) FROM ltc.events WHERE position = %s

-- name: settle
UPDATE ltc_read.projection_letters SET settled_at = clock_timestamp(), settled_by = %s
WHERE projection = %s AND version = %s AND held = %s AND settled_at IS NULL

-- name: lacking
SELECT position, held FROM {letters} WHERE projection = %s AND version = %s AND settled_at IS NULL ORDER BY position

-- name: is_laid_out
SELECT to_regclass('ltc_read.projection_letters') IS NOT NULL
