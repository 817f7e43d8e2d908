-- The checkpoints of tables that follow the store.

-- name: advance
-- In the order of the key, so that two projectors never wait for each other.
WITH own AS (
    SELECT * FROM ltc_read.checkpoints o WHERE source = %s AND partition = %s AND position = %s
    AND (projection, version) IN (SELECT * FROM unnest(%s::text[], %s::int4[])) AND {in_its_epoch} AND {still_true} AND {is_stored}
    ORDER BY projection, version FOR UPDATE
)
UPDATE ltc_read.checkpoints c SET position = %s, moved_at = clock_timestamp(), {mark} FROM own
WHERE (c.projection, c.version, c.source, c.partition) = (own.projection, own.version, own.source, own.partition)
RETURNING c.projection, c.version

-- name: positions
SELECT projection, version, position, (SELECT epoch FROM ltc.epochs ORDER BY number DESC LIMIT 1)
FROM ltc_read.checkpoints WHERE source = %s AND partition = %s
AND (projection, version) IN (SELECT * FROM unnest(%s::text[], %s::int4[]))
